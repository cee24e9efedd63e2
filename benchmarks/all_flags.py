"""What every flag of a product costs at once, for one person and company: `python -m benchmarks.all_flags`.

The flags are those of benchmarks/product.py, in a client's memory with the properties of its companies; `all_flags` is
called for one of them after the other, with what a service knows of the person. Nothing is asked of a server.
"""

from collections import Counter

import burgee
from benchmarks.evaluate import microseconds
from benchmarks.product import PASSED, company, flags
from burgee.evaluation import FlagSet
from burgee.snapshot import Snapshot

COMPANIES = 1_000


def client(count: int) -> burgee.Client:
    """A client that has so many flags, as if from its stream."""
    stored = {("company", f"company-{number}"): company(number) for number in range(COMPANIES)}
    made = burgee.Client("127.0.0.1:9", "", flag_timeout=0.1)
    stream = made._flags.stream
    assert stream is not None
    stream.current = stream.last = Snapshot.of(FlagSet(flags(count)), "1", stored, frozenset({"company"}))
    stream._tried.set_result(None)
    return made


def main() -> None:
    """Print the table."""
    kinds = Counter(flag.description for flag in flags(100))
    print(f"100 flags: {', '.join(f'{share} {name}' for name, share in kinds.items())}\n")
    print("| all_flags of | µs | a flag |\n|---|---:|---:|")
    for count in (10, 100, 1_000):
        asked, numbers = client(count), iter(range(10**9))
        assert len(asked.all_flags("ann", properties=PASSED, company="company-7")) == count

        def check(asked: burgee.Client = asked) -> object:
            return asked.all_flags("ann", properties=PASSED, company=f"company-{next(numbers) % COMPANIES}")  # noqa: B023

        cost = microseconds(check)
        print(f"| {count:,} flags | {cost:,.1f} | {cost / count:.2f} |")
        asked.close()


if __name__ == "__main__":
    main()
