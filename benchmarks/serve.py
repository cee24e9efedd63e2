"""How near Evaluate comes to an empty method on the same server: `python -m benchmarks.serve`.

Two empty methods: one that anybody may call, and one that needs an API key as Evaluate does ("let in"). The load is
h2load's (Debian: nghttp2-client), which costs little next to the server. The methods take turns; ratios are of medians.
"""

import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import burgee
from benchmarks.server import EMPTY, KEY, LET_IN, serving
from burgee.v1 import flag_admin_pb2, flags_pb2
from burgee.v1.flag_admin_pb2_grpc import FlagAdminServiceStub

ROUNDS = 7
CALLS = 12_000
STREAMS = 64
EVALUATE = "/burgee.v1.FlagService/Evaluate"


def flag() -> flags_pb2.Flag:
    """Two company conditions and a 30 % rollout by company."""
    rule = flags_pb2.Rule(distribution=flags_pb2.Distribution(bucket_by="company", rollout=30_000))
    rule.conditions.add(attribute="company.plan", operator=3).values.add(string_value="enterprise")
    rule.conditions.add(attribute="company.seats", operator=11).values.add(number_value=100)
    return flags_pb2.Flag(key="beta", enabled=True, rules=[rule])


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
    context = flags_pb2.EvaluationContext(distinct_id="ann", groups={"company": "acme"})
    request = flags_pb2.EvaluateRequest(flag_key="beta", context=context)
    with serving() as server, tempfile.TemporaryDirectory() as scratch, burgee.Client(server.target, KEY) as client:
        client.group("company", "acme", {"plan": "enterprise", "seats": 250})
        client.flush()
        client.stub(FlagAdminServiceStub).CreateFlag(flag_admin_pb2.CreateFlagRequest(flag=flag()))
        assert client.resolve("beta", "ann", company="acme").reason is not burgee.Reason.ERROR
        bodies = {
            EMPTY: framed(b"", Path(scratch) / "empty"),
            LET_IN: framed(b"", Path(scratch) / "let-in"),
            EVALUATE: framed(request.SerializeToString(), Path(scratch) / "evaluate"),
        }
        rates: dict[str, list[float]] = {method: [] for method in bodies}
        cpu: dict[str, list[float]] = {method: [] for method in bodies}
        for _ in range(ROUNDS):
            for method, body in bodies.items():
                before = server.cpu_seconds()
                rates[method].append(rate(server.target, method, body))
                cpu[method].append((server.cpu_seconds() - before) / CALLS * 1e6)
    print(f"{CALLS:,} calls a round, {ROUNDS} rounds in turn, {STREAMS} streams on 4 connections; medians")
    print(f"{'method':<42}{'calls/s':>10}{'least':>10}{'most':>10}{'µs CPU':>8}{'to empty':>10}{'to let in':>10}")
    middle = {method: statistics.median(seen) for method, seen in rates.items()}
    for method, seen in rates.items():
        print(
            f"{method:<42}{middle[method]:>10,.0f}{min(seen):>10,.0f}{max(seen):>10,.0f}"
            f"{statistics.median(cpu[method]):>8.0f}{middle[method] / middle[EMPTY]:>10.2f}"
            f"{middle[method] / middle[LET_IN]:>10.2f}"
        )


if __name__ == "__main__":
    main()
