"""What the insights cost over hand-written SQL and over DuckDB: the same questions of the same rows, in turns; medians.

`python -m benchmarks.insights [EVENTS] [DIRECTORY]`: ten million in a temporary directory. A directory that has events,
such as that of `benchmarks.grow`, is asked as it is. `--only PATTERN` asks what has the pattern in its name,
`--rounds` says how often (5), `--ways insight,sql` leaves the other ways of asking out, and `--duckdb DIRECTORY` keeps
DuckDB's tables for the next time. Insights and SQL by hand may take what a server lets a question take, or
`--megabytes` of it; nan is what was refused. DuckDB has the same data in two forms: groups and properties as the JSON
that came, and each that is asked for in a column of its own type, chosen beforehand.
"""

from benchmarks.insights.run import main

__all__ = ["main"]
