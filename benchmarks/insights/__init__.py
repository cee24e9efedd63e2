"""What the insights cost over hand-written SQL and over DuckDB: the same questions of the same rows, in turns; medians.

`python -m benchmarks.insights [EVENTS] [DIRECTORY]`: ten million in a temporary directory. A directory that has events,
such as that of `benchmarks.grow`, is asked as it is. `--only PATTERN` asks what has the pattern in its name,
`--rounds` says how often (5), and `--without-duckdb` leaves DuckDB out.
"""

from benchmarks.insights.run import main

__all__ = ["main"]
