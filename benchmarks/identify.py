"""What an accepted change of a profile costs the server: `python -m benchmarks.identify [CALLS]`.

Processor time of the server process (its threads included) for each call, of calls that come eight at a time: new
persons, the same persons with what is known already, and with something else; the same for groups. Rounds in turn.
"""

import asyncio
import statistics
import sys
import time

import grpc

from benchmarks.server import Call, Measured, serving
from benchmarks.sustain import METADATA, connected
from burgee.v1 import profiles_pb2 as pb

CALLS = 400
ROUNDS = 5
AT_ONCE = 8
PERSON = "/burgee.v1.ProfileService/IdentifyPerson"
GROUP = "/burgee.v1.ProfileService/IdentifyGroup"


def change(made: pb.PropertyChange, value: int) -> None:
    """Five properties, one of which is `value`."""
    made.set.update({"plan": "team", "seats": value, "city": "Berlin", "beta": True, "name": "Ann Example"})


def person(number: int, value: int) -> bytes:
    """An identify of a person."""
    request = pb.IdentifyPersonRequest(distinct_id=f"user-{number}")
    change(request.change, value)
    return request.SerializeToString()


def group(number: int, value: int) -> bytes:
    """An identify of a company."""
    request = pb.IdentifyGroupRequest(group_type="company", group_key=f"company-{number}")
    change(request.change, value)
    return request.SerializeToString()


async def sent(channel: grpc.aio.Channel, server: Measured, method: str, bodies: list[bytes]) -> tuple[float, float]:
    """Milliseconds a call: of the server's processor, and until it was answered (median)."""
    call: Call = channel.unary_unary(method)
    took: list[float] = []
    left = iter(bodies)

    async def keep_sending() -> None:
        for body in left:
            began = time.perf_counter()
            await call(body, metadata=METADATA, timeout=60)
            took.append(time.perf_counter() - began)

    before = server.cpu_seconds()
    await asyncio.gather(*(keep_sending() for _ in range(AT_ONCE)))
    return (server.cpu_seconds() - before) / len(bodies) * 1e3, statistics.median(took) * 1e3


async def measure(calls: int) -> None:
    """Print the table."""
    kinds = {"a person": (PERSON, person), "a group": (GROUP, group)}
    seen: dict[str, list[tuple[float, float]]] = {}
    with serving() as server:
        async with connected(server.target) as channel:
            for turn in range(ROUNDS):
                these = range(turn * calls, (turn + 1) * calls)
                for kind, (method, made) in kinds.items():
                    for name, value in (("new", 1), ("as it was", 1), ("another", 2)):
                        bodies = [made(number, value) for number in these]
                        seen.setdefault(f"{kind}, {name}", []).append(await sent(channel, server, method, bodies))
    print(f"{'':<22}{'ms CPU':>8}{'ms, p50':>9}{'CPU of each round':>40}")
    for name, rounds in seen.items():
        cpu, took = (statistics.median(each) for each in zip(*rounds, strict=True))
        told = ", ".join(f"{each:.2f}" for each, _ in rounds)
        print(f"{name:<22}{cpu:>8.2f}{took:>9.1f}{told:>40}")


def main() -> None:
    """The command."""
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else CALLS))


if __name__ == "__main__":
    main()
