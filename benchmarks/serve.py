"""How near Evaluate comes to an empty method on the same server: `python -m benchmarks.serve`.

Two empty methods: one that anybody may call, and one that needs an API key as Evaluate does ("let in"). Evaluate is
asked one question again and again, of two flags: one whose answers the server may remember, and the same with a ramp,
whose answers depend on the time and so are worked out anew for each call. The load is h2load's (Debian:
nghttp2-client), which costs little next to the server. The methods take turns; ratios are of medians.
"""

import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import burgee
from benchmarks.server import EMPTY, KEY, LET_IN, serving
from burgee.v1 import flag_admin_pb2, flags_pb2
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub

ROUNDS = 7
CALLS = 12_000
STREAMS = 64
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


def main() -> None:
    """Print the table."""
    if shutil.which("h2load") is None:
        print("left out: it needs h2load (Debian: nghttp2-client)")
        return
    context = flags_pb2.EvaluationContext(distinct_id="ann", groups={"company": "globex"})
    began = flags_pb2.RampStep(rollout=30_000)
    began.at.FromJsonString("2026-01-01T00:00:00Z")
    flags = [flag("beta", rollout=30_000), flag("ramp", ramp=[began], salt="beta")]
    with (
        serving() as server,
        tempfile.TemporaryDirectory() as scratch,
        burgee.Client(server.target, KEY, local_evaluation=False) as client,
    ):
        client.group("company", "globex", {"plan": "enterprise", "seats": 250})
        client.flush()
        for each in flags:
            client.stub(FlagAdminServiceStub).CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=each))
            assert client.resolve(each.key, "ann", company="globex").reason is burgee.Reason.SPLIT
        empty = framed(b"", Path(scratch) / "empty")
        calls = {"empty, for anybody": (EMPTY, empty), "empty, with an API key": (LET_IN, empty)}
        for each, what in zip(flags, ("remembered", "worked out anew"), strict=True):
            request = flags_pb2.EvaluateRequest(flag_key=each.key, context=context)
            calls[f"Evaluate, {what}"] = EVALUATE, framed(request.SerializeToString(), Path(scratch) / each.key)
        rates: dict[str, list[float]] = {name: [] for name in calls}
        cpu: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(ROUNDS):
            for name, (method, body) in calls.items():
                before = server.cpu_seconds()
                rates[name].append(rate(server.target, method, body))
                cpu[name].append((server.cpu_seconds() - before) / CALLS * 1e6)
    print(f"{CALLS:,} calls a round, {ROUNDS} rounds in turn, {STREAMS} streams on 4 connections; medians")
    print(f"{'call':<28}{'calls/s':>10}{'least':>10}{'most':>10}{'µs CPU':>8}{'to empty':>10}{'to let in':>10}")
    middle = {name: statistics.median(seen) for name, seen in rates.items()}
    anybody, let_in = list(middle.values())[:2]
    for name, seen in rates.items():
        print(
            f"{name:<28}{middle[name]:>10,.0f}{min(seen):>10,.0f}{max(seen):>10,.0f}"
            f"{statistics.median(cpu[name]):>8.0f}{middle[name] / anybody:>10.2f}{middle[name] / let_in:>10.2f}"
        )


if __name__ == "__main__":
    main()
