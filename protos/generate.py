"""Generates the committed stubs from the protos; with --check, says which are out of date and exits 1."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
TARGETS = {"burgee": ROOT / "client", "burgee_server": ROOT / "server"}  # proto root package -> source root


def generate(package: str, into: Path) -> list[Path]:
    """Write the stubs of one root package under `into`; return their paths relative to it."""
    protos = sorted((PROTOS / package).rglob("*.proto"))
    for proto in protos:
        plugins = [f"--python_out={into}", f"--mypy_out=quiet:{into}"]
        if "\nservice " in proto.read_text():
            plugins += [f"--grpc_python_out={into}", f"--mypy_grpc_out=quiet:{into}"]
        include = Path(protoc.__file__).parent / "_proto"
        if protoc.main(["protoc", f"-I{PROTOS}", f"-I{include}", *plugins, str(proto)]) != 0:
            sys.exit(f"protoc failed on {proto.relative_to(ROOT)}")
    return sorted(path.relative_to(into) for path in into.rglob("*_pb2*.py*"))


def drift(package: str, target: Path) -> list[Path]:
    """The committed stubs of one root package that are not what the protos give: changed, missing or left over."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh = {path: (Path(scratch) / path).read_bytes() for path in generate(package, Path(scratch))}
    committed = {
        path.relative_to(target) for path in (target / package).rglob("*_pb2*.py*") if "__pycache__" not in path.parts
    }
    stale = {path for path, text in fresh.items() if path not in committed or (target / path).read_bytes() != text}
    return sorted(stale | (committed - fresh.keys()))


def main() -> None:
    """Generate, or check."""
    os.environ["PATH"] = os.pathsep.join(
        [str(Path(sys.executable).parent), os.environ["PATH"]]
    )  # where protoc-gen-mypy is
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a stub is out of date")
    if parser.parse_args().check:
        stale = [
            str((target / path).relative_to(ROOT))
            for package, target in TARGETS.items()
            for path in drift(package, target)
        ]
        if stale:
            sys.exit("out of date, run `make proto`:\n  " + "\n  ".join(stale))
        return
    for package, target in TARGETS.items():
        generate(package, target)


if __name__ == "__main__":
    main()
