"""A million events through the client: `python -m benchmarks.ingest [EVENTS]`.

Client and server share the machine. Each event has five properties and two groups. The time runs from the first
`capture` to the last acknowledgement; queryable is when a trend counts them all.
"""

import random
import sys
import time

import burgee
from benchmarks.server import KEY, serving

EVENTS = 1_000_000


def capture_all(client: burgee.Client, count: int) -> None:
    """Capture so many events, as fast as the queue takes them."""
    chance = random.Random(1)
    plans = ("free", "team", "business", "enterprise")
    now = time.time()
    for number in range(count):
        company = chance.randrange(5_000)
        properties = {
            "plan": plans[company % 4],
            "pages": number % 97,
            "seconds": number * 0.25 % 300,
            "source": "import",
            "beta": number % 3 == 0,
        }
        while client.stats.queued >= 90_000:
            time.sleep(0.005)
        client.capture(
            f"event_{number % 20}",
            f"user-{chance.randrange(200_000)}",
            properties,
            timestamp=now - chance.random() * 30 * 86_400,
            company=f"company-{company}",
            team=f"team-{company}-{number % 5}",
        )


def freshness(client: burgee.Client, rounds: int = 40) -> list[float]:
    """Seconds from an event's acknowledgement until a query counts it, in order."""
    waits = []
    for number in range(1, rounds + 1):
        client.capture("fresh", "ann")
        assert client.flush(30)
        acknowledged = time.perf_counter()
        while client.trend("fresh", start="-1d").rows[0].total < number:
            time.sleep(0.005)
        waits.append(time.perf_counter() - acknowledged)
    return sorted(waits)


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with serving() as server, burgee.Client(server.target, KEY, query_timeout=120) as client:
        began = time.perf_counter()
        capture_all(client, count)
        assert client.flush(600), client.stats
        acknowledged = time.perf_counter() - began
        peak = server.peak_mb()
        while client.trend(start="-60d").rows[0].total < count:
            time.sleep(0.1)
        queryable = time.perf_counter() - began
        print(f"{'':<16}{'events':>12}{'seconds':>10}{'events/s':>12}")
        for name, seconds in (("acknowledged", acknowledged), ("queryable", queryable)):
            print(f"{name:<16}{count:>12,}{seconds:>10.1f}{count / seconds:>12,.0f}")
        print(f"memory of the server: {peak:,.0f} MB at most, {server.resident_mb():,.0f} MB afterwards")
        print(f"client: {client.stats}")
        waits = freshness(client)
        print(f"from acknowledged to queryable, {len(waits)} single events: ", end="")
        print(f"median {waits[len(waits) // 2]:.2f} s, most {waits[-1]:.2f} s")


if __name__ == "__main__":
    main()
