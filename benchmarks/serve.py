"""How near Evaluate comes to an empty method, with both transports: `python -m benchmarks.serve`.

Two empty methods: one that anybody may call, and one that needs an API key as Evaluate does ("let in"). Evaluate is
asked one question again and again, of three flags that give the same: one whose answers the server may remember; one
with a ramp, so that of an answer only the question may be remembered, as the server has read it; and one of which the
server finds no question that was asked before. The load is h2load's (Debian: nghttp2-client), which costs little next
to the server. The methods take turns; ratios are of medians.
"""

import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import burgee
from benchmarks.server import EMPTY, KEY, LET_IN, NEVER_ASKED, Measured, serving
from burgee.v1 import flag_admin_pb2, flags_pb2
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub

ROUNDS = 7
CALLS = 12_000
STREAMS = 64
TRANSPORTS = ("grpcio", "native")
EVALUATE = "/burgee.v1.FlagService/Evaluate"


def flag(key: str, **distribution: Any) -> flags_pb2.Flag:
    """Two company conditions and a 30 % rollout by company."""
    rule = flags_pb2.Rule(distribution=flags_pb2.Distribution(bucket_by="company", **distribution))
    rule.conditions.add(attribute="company.plan", operator=3).values.add(string_value="enterprise")
    rule.conditions.add(attribute="company.seats", operator=11).values.add(number_value=100)
    return flags_pb2.Flag(key=key, enabled=True, rules=[rule])


def rate(target: str, method: str, body: Path) -> float:
    """Calls a second, by h2load."""
    command = ["h2load", "-n", str(CALLS), "-c", "4", "-m", str(STREAMS // 4), "-d", str(body)]
    headers = ["-H", "content-type: application/grpc", "-H", "te: trailers", "-H", f"authorization: Bearer {KEY}"]
    done = subprocess.run([*command, *headers, f"http://{target}{method}"], capture_output=True, text=True, check=True)
    if f"{CALLS} succeeded" not in done.stdout:
        sys.exit(f"calls failed:\n{done.stdout}")
    found = re.search(r"finished in [^,]+, ([0-9.]+) req/s", done.stdout)
    assert found is not None
    return float(found[1])


def framed(message: bytes, path: Path) -> Path:
    """A gRPC body: not compressed, its length, the message."""
    path.write_bytes(struct.pack(">BI", 0, len(message)) + message)
    return path


class Side:
    """A server with one transport, and what its rounds gave: calls a second and processor time of a call, by method."""

    def __init__(self, transport: str, server: Measured, scratch: Path) -> None:
        self.transport = transport
        self._server = server
        context = flags_pb2.EvaluationContext(distinct_id="ann", groups={"company": "globex"})
        began = flags_pb2.RampStep(rollout=30_000)
        began.at.FromJsonString("2026-01-01T00:00:00Z")
        empty = framed(b"", scratch / "empty")
        self._calls = {"empty, for anybody": (EMPTY, empty), "empty, with an API key": (LET_IN, empty)}
        flags = {
            "remembered": flag("beta", rollout=30_000),
            "remembered, with a ramp": flag("ramp", ramp=[began], salt="beta"),
            "never asked before": flag(NEVER_ASKED, rollout=30_000, salt="beta"),
        }
        with burgee.Client(server.target, KEY, local_evaluation=False) as client:
            client.group("company", "globex", {"plan": "enterprise", "seats": 250})
            client.flush()
            for what, each in flags.items():
                client.stub(FlagAdminServiceStub).CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=each))
                assert client.resolve(each.key, "ann", company="globex").reason is burgee.Reason.SPLIT
                request = flags_pb2.EvaluateRequest(flag_key=each.key, context=context)
                self._calls[f"Evaluate, {what}"] = EVALUATE, framed(request.SerializeToString(), scratch / each.key)
        self.rates: dict[str, list[float]] = {name: [] for name in self._calls}
        self.cpu: dict[str, list[float]] = {name: [] for name in self._calls}

    def round(self) -> None:
        """Each method once."""
        for name, (method, body) in self._calls.items():
            before = self._server.cpu_seconds()
            self.rates[name].append(rate(self._server.target, method, body))
            self.cpu[name].append((self._server.cpu_seconds() - before) / CALLS * 1e6)


def main() -> None:
    """Print the table."""
    if shutil.which("h2load") is None:
        print("left out: it needs h2load (Debian: nghttp2-client)")
        return
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sides = [
            Side(transport, stack.enter_context(serving(transport=transport)), scratch) for transport in TRANSPORTS
        ]
        for _ in range(ROUNDS):
            for side in sides:
                side.round()
    print(f"{CALLS:,} calls a round, {ROUNDS} rounds in turn, {STREAMS} streams on 4 connections; medians\n")
    columns = ("call", "calls/s", "least", "most", "µs CPU", "to empty", "to let in", "to grpcio", "CPU to grpcio")
    print(f"| {' | '.join(columns)} |\n|---|{'---:|' * (len(columns) - 1)}")
    first, first_cpu = medians(sides[0].rates), medians(sides[0].cpu)
    for side in sides:
        middle, cpu = medians(side.rates), medians(side.cpu)
        anybody, let_in = list(middle.values())[:2]
        for name, seen in side.rates.items():
            each = middle[name]
            ratios = (each / anybody, each / let_in, each / first[name], first_cpu[name] / cpu[name])
            rates = f"{each:,.0f} | {min(seen):,.0f} | {max(seen):,.0f} | {cpu[name]:.0f}"
            print(f"| {side.transport}: {name} | {rates} | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |")


def medians(seen: dict[str, list[float]]) -> dict[str, float]:
    """The median of each."""
    return {name: statistics.median(each) for name, each in seen.items()}


if __name__ == "__main__":
    main()
