"""The conformance cases: what every part that answers flag checks must answer, as data beside this file.

A case has flags (documents as in burgee.evaluation.document; each can be saved, prerequisites come first; `archived`
is set by ArchiveFlag), a context, stored profiles (type, then key, then properties), a moment, and what is expected;
and, where flags ask for them, cohorts (key, then `group_type` and `members`) and parent_types (of group types).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from burgee.evaluation import (
    COHORT,
    Context,
    ErrorCode,
    Flag,
    Json,
    ParentTypes,
    Profiles,
    Reason,
    cohort,
    context_from_document,
    flag_from_document,
)
from burgee.evaluation.times import parse

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Expected:
    """What the resolution must be."""

    variant: str
    value: Json
    reason: Reason
    rule_id: str = ""
    error_code: ErrorCode | None = None
    parent_groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cohort:
    """Whom a cohort is made of, and who is in it."""

    group_type: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One question and its answer. `now` is Unix seconds."""

    theme: str
    name: str
    flags: tuple[Flag, ...]
    context: Context
    profiles: Profiles
    now: float
    flag_key: str
    expected: Expected
    cohorts: Mapping[str, Cohort]
    parent_types: ParentTypes

    @property
    def stored(self) -> Profiles:
        """Profiles and cohorts, as the core is handed them."""
        return {
            **self.profiles,
            **{(COHORT, key): cohort(each.members) for key, each in self.cohorts.items()},
        }


def _read_cases() -> Iterator[Case]:
    """Theme by theme."""
    for file in sorted(_FOLDER.glob("*.json")):
        for number, document in enumerate(json.loads(file.read_text("utf-8"))):
            yield _case(file.stem, document, f"{file.name}[{number}]")


def _case(theme: str, document: dict[str, Any], path: str) -> Case:
    match document:
        case {
            "name": str(name),
            "flags": list(flags),
            "context": context,
            "profiles": dict(profiles),
            "now": str(now),
            "flag_key": str(flag_key),
            "expect": dict(expect),
            **rest,
        } if not rest.keys() - {"cohorts", "parent_types"}:
            pass
        case _:
            raise ValueError(f"{path} is not a case")
    moment = parse(now)
    if moment is None:
        raise ValueError(f"{path}.now is not a time")
    return Case(
        theme=theme,
        name=name,
        flags=tuple(flag_from_document(flag, f"{path}.flags[{index}]") for index, flag in enumerate(flags)),
        context=context_from_document(context, f"{path}.context"),
        profiles={(owner, key): stored for owner, by_key in profiles.items() for key, stored in by_key.items()},
        now=moment,
        flag_key=flag_key,
        expected=Expected(
            expect["variant"],
            expect["value"],
            Reason(expect["reason"]),
            expect.get("rule_id", ""),
            ErrorCode(expect["error_code"]) if "error_code" in expect else None,
            expect.get("parent_groups", {}),
        ),
        cohorts={
            key: Cohort(each["group_type"], tuple(each["members"])) for key, each in rest.get("cohorts", {}).items()
        },
        parent_types=rest.get("parent_types", {}),
    )


CASES = tuple(_read_cases())
"""Every case."""

THEMES = {theme: tuple(cases) for theme, cases in groupby(CASES, attrgetter("theme"))}
"""The same, by the file that they stand in."""
