"""What may be saved: a flag that can be evaluated among the flags of its environment."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from burgee.evaluation import Flag, violations, with_defaults
from burgee_server.errors import Invalid, Violation


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a flag may name: the flags of its environment, and the cohorts, each with whom it is made of."""

    flags: Mapping[str, Flag]
    cohorts: Mapping[str, str]


def checked(flag: Flag, around: Surroundings, current: Flag | None) -> Flag:
    """The flag, complete, as it may be saved in place of `current`; whether it is archived does not change.

    Raises Invalid, naming every path at fault, if it, or one of the flags that need it, could not be evaluated.
    """
    if current is not None and flag.type is not current.type:
        raise Invalid.of("flag.type", f"is {current.type} and cannot change: code that reads the flag relies on it")
    flag = with_defaults(replace(flag, archived=current is not None and current.archived))
    if faults := faults_of(flag, replace(around, flags={**around.flags, flag.key: flag}), "flag"):
        raise Invalid(*faults)
    return flag


def faults_of(flag: Flag, around: Surroundings, field: str) -> list[Violation]:
    """Why the flag, or one of those that need it, could not be evaluated; `field` is where the request has it."""
    flags = around.flags
    faults = [Violation(f"{field}.{path}", reason) for path, reason in violations(flag, flags, around.cohorts)]
    for other in flags.values():
        if other is not flag and any(needed.flag_key == flag.key for needed in other.prerequisites):
            faults += [
                Violation(field, f"flag {other.key!r} needs this one: {path}: {reason}")
                for path, reason in violations(other, flags)
            ]
    return faults
