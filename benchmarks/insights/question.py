"""One question: as an insight, as the best SQL by hand for it, and as DuckDB's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from burgee_server.insights.words import TimeRange


@dataclass(frozen=True)
class Question:
    """In both SQLs, `{events}` stands for `FROM events WHERE …` of the environment and the span."""

    name: str
    plan: Any
    """Of the insight."""
    query: Callable[[TimeRange], Any]
    clickhouse: str
    duckdb: str = ""
    """Empty: not asked of DuckDB."""
