"""Runs every benchmark, one after the other: `python -m benchmarks`, or some: `python -m benchmarks serve ingest`."""

import sys
from importlib import import_module

NAMES = (
    *("evaluate", "compare", "all_flags", "large", "serve", "propagate", "streams", "hostile", "preview"),
    *("ingest", "sustain", "least", "isolate", "spool", "insights"),
)

if unknown := set(sys.argv[1:]) - set(NAMES):
    sys.exit(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
chosen = sys.argv[1:] or NAMES
sys.argv[1:] = []
for name in chosen:
    print(f"\n== {name} ==", flush=True)
    import_module(f"benchmarks.{name}").main()
