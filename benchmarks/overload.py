"""Capture at five times what the server can take, with flag checks beside it: `python -m benchmarks.overload`.

Batches of 1,000 events, five properties and two groups each, are encoded beforehand and sent by a process of their own;
flag checks come from another, one every five milliseconds. All share the machine with the server.
"""

import asyncio
import multiprocessing
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import grpc

import burgee
from benchmarks.serve import EVALUATE, flag
from benchmarks.server import KEY, serving
from benchmarks.sustain import BATCH, METADATA, METHOD, batches
from burgee.v1 import capture_pb2, flag_admin_pb2, flags_pb2
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub

BATCHES = 64
SECONDS = 15.0
AT_ONCE = (4, 8, 16, 32)
TIMES = 5
PROBE_SECONDS = 0.005
CALL_SECONDS = 20.0


@dataclass
class Offered:
    """What became of the batches that were offered, by code; and the events a second that were acknowledged."""

    codes: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    seconds: float = 0.0
    unsent: int = 0

    @property
    def rate(self) -> float:
        """Acknowledged events a second."""
        return self.accepted / self.seconds


async def _send(call: object, body: bytes, offered: Offered) -> None:
    try:
        answer = await call(body, metadata=METADATA, timeout=CALL_SECONDS)  # type: ignore[operator]
        offered.codes["OK"] += 1
        offered.accepted += capture_pb2.CaptureResponse.FromString(answer).accepted
    except grpc.aio.AioRpcError as error:
        offered.codes[error.code().name] += 1


async def _saturate(target: str, at_once: int, seconds: float) -> Offered:
    offered, bodies = Offered(), batches(BATCHES, BATCH)
    async with grpc.aio.insecure_channel(target) as channel:
        call = channel.unary_unary(METHOD)
        began = time.monotonic()

        async def keep_sending(first: int) -> None:
            number = first
            while time.monotonic() - began < seconds:
                await _send(call, bodies[number % BATCHES], offered)
                number += at_once

        await asyncio.gather(*map(keep_sending, range(at_once)))
        offered.seconds = time.monotonic() - began
    return offered


async def _offer(target: str, batches_a_second: float, seconds: float) -> Offered:
    """Open loop: a batch is sent when its time has come, whatever became of those before."""
    offered, bodies = Offered(), batches(BATCHES, BATCH)
    async with grpc.aio.insecure_channel(target) as channel:
        call = channel.unary_unary(METHOD)
        began = time.monotonic()
        sent: set[asyncio.Task[None]] = set()
        for number in range(int(batches_a_second * seconds)):
            due = began + number / batches_a_second
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            elif time.monotonic() - began > seconds:
                offered.unsent = int(batches_a_second * seconds) - number
                break
            task = asyncio.create_task(_send(call, bodies[number % BATCHES], offered))
            sent.add(task)
            task.add_done_callback(sent.discard)
            await asyncio.sleep(0)
        offered.seconds = time.monotonic() - began
        accepted = offered.accepted
        await asyncio.gather(*sent)
        offered.accepted = accepted
    return offered


async def _probe(target: str, seconds: float) -> list[float]:
    """Milliseconds of a flag check, in order."""
    context = flags_pb2.EvaluationContext(distinct_id="ann", groups={"company": "acme"})
    body = flags_pb2.EvaluateRequest(flag_key="beta", context=context).SerializeToString()
    took = []
    async with grpc.aio.insecure_channel(target) as channel:
        call = channel.unary_unary(EVALUATE)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            began = time.perf_counter()
            await call(body, metadata=METADATA, timeout=CALL_SECONDS)
            took.append((time.perf_counter() - began) * 1e3)
            await asyncio.sleep(PROBE_SECONDS)
    return sorted(took)


def saturate(*arguments: object) -> Offered:
    """Run in a process of its own."""
    return _run(_saturate(*arguments))  # type: ignore[arg-type]


def offer(*arguments: object) -> Offered:
    """The same."""
    return _run(_offer(*arguments))  # type: ignore[arg-type]


def probe(*arguments: object) -> list[float]:
    """The same."""
    return _run(_probe(*arguments))  # type: ignore[arg-type]


def _run(work: object) -> object:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)  # type: ignore[arg-type]


def _line(name: str, took: list[float]) -> str:
    return f"{name:<28}{took[len(took) // 2]:>8.2f}{took[int(len(took) * 0.99)]:>8.2f}{took[-1]:>8.2f}{len(took):>8,}"


def main() -> None:
    """Print the tables."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    spawn = multiprocessing.get_context("spawn")
    with serving() as server, ProcessPoolExecutor(2, mp_context=spawn) as processes:
        with burgee.Client(server.target, KEY) as client:
            client.group("company", "acme", {"plan": "enterprise", "seats": 250})
            client.flush()
            client.stub(FlagAdminServiceStub).CreateFlag(
                flag_admin_pb2.CreateFlagRequest(flag=flag("beta", rollout=30_000))
            )
        processes.submit(saturate, server.target, 4, 2.0).result()  # warm up
        unloaded = processes.submit(probe, server.target, seconds).result()
        peaks = {n: processes.submit(saturate, server.target, n, seconds).result() for n in AT_ONCE}
        for at_once, offered in peaks.items():
            print(f"{at_once:>3} batches at once: {offered.rate:>9,.0f} events/s  {dict(offered.codes)}")
        peak = max(offered.rate for offered in peaks.values())
        checking = processes.submit(probe, server.target, seconds)
        offered = processes.submit(offer, server.target, TIMES * peak / BATCH, seconds).result()
        loaded = checking.result()
        answered = sum(offered.codes.values())
        print(f"\noffered {TIMES * peak:,.0f} events/s for {seconds:g} s; the load could not send {offered.unsent} of "
              f"{offered.unsent + answered} batches")  # fmt: skip
        print(f"accepted {offered.rate:,.0f} events/s, {offered.rate / peak:.2f} of the peak of {peak:,.0f}")
        print("answers: " + ", ".join(f"{code} {n / answered:.1%}" for code, n in offered.codes.most_common()))
        print(f"memory of the server: {server.peak_mb():,.0f} MB at most")
    print(f"\n{'a flag check, ms':<28}{'p50':>8}{'p99':>8}{'most':>8}{'checks':>8}")
    print(_line("nobody else there", unloaded))
    print(_line(f"while {TIMES} times is offered", loaded))


if __name__ == "__main__":
    main()
