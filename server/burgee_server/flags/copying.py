"""Which flags are copied from one environment into another, and in what order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from burgee.evaluation import Flag
from burgee_server.errors import Invalid, Violation
from burgee_server.flags.checking import Surroundings, faults_of
from burgee_server.flags.difference import is_same


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """The flags to write, those that others need first; then, by key, which are new, replaced and left alone."""

    flags: tuple[Flag, ...]
    created: tuple[str, ...]
    updated: tuple[str, ...]
    skipped: tuple[str, ...]


def plan_copy(source: Mapping[str, Flag], around: Surroundings, keys: Sequence[str], *, overwrite: bool) -> CopyPlan:
    """Plan to copy these flags (no keys: all that are not archived) of `source` over those that are here, `around`.

    A flag that is archived here stays so. Raises Invalid for a key that `source` does not have or has archived, and
    for each flag that would have another type, or could not be evaluated, here.
    """
    here = around.flags
    wanted = _wanted(source, keys)
    copies = {key: _copy(flag, here.get(key)) for key, flag in wanted.items()}
    changed = {
        key: flag for key, flag in copies.items() if key not in here or (overwrite and not is_same(flag, here[key]))
    }
    after = replace(around, flags={**here, **changed})
    faults = [
        Violation(f"flags[{key}].type", f"is {flag.type} there and {here[key].type} here, and cannot change")
        for key, flag in changed.items()
        if key in here and here[key].type is not flag.type
    ]
    for key, flag in changed.items():
        faults += faults_of(flag, after, f"flags[{key}]")
    if faults:
        raise Invalid(*faults)
    ordered = _in_order(changed)
    return CopyPlan(
        flags=tuple(changed[key] for key in ordered),
        created=tuple(key for key in ordered if key not in here),
        updated=tuple(key for key in ordered if key in here),
        skipped=tuple(sorted(copies.keys() - changed.keys())),
    )


def _wanted(source: Mapping[str, Flag], keys: Sequence[str]) -> dict[str, Flag]:
    if not keys:
        return {key: flag for key, flag in source.items() if not flag.archived}
    faults = []
    for index, key in enumerate(keys):
        if key not in source:
            faults.append(Violation(f"flag_keys[{index}]", f"there is no flag {key!r} in that environment"))
        elif source[key].archived:
            faults.append(Violation(f"flag_keys[{index}]", f"flag {key!r} is archived in that environment"))
    if faults:
        raise Invalid(*faults)
    return {key: source[key] for key in keys}


def _copy(flag: Flag, current: Flag | None) -> Flag:
    """The flag as it would be here; equal to `current` if there is nothing to do."""
    if current is None:
        return flag
    return replace(flag, version=current.version, archived=current.archived)


def _in_order(flags: Mapping[str, Flag]) -> list[str]:
    """The keys, each after those that it needs; by key otherwise. There are no cycles: faults_of refuses them."""
    ordered: dict[str, None] = {}
    stack = sorted(flags, reverse=True)
    while stack:
        needed = [each.flag_key for each in flags[stack[-1]].prerequisites]
        waits_for = [key for key in needed if key in flags and key not in ordered]
        if waits_for:
            stack += waits_for
        else:
            ordered[stack.pop()] = None
    return list(ordered)
