"""Flags from a file, for a process that starts while the server is away."""

import json
from os import PathLike
from typing import NamedTuple, TypeAlias

from burgee.evaluation import (
    COHORT,
    Flag,
    FlagSet,
    Json,
    ParentTypes,
    Properties,
    cohort,
    flag_from_document,
    with_defaults,
)
from burgee.log import logger, words
from burgee.snapshot import Snapshot

_Cohorts: TypeAlias = dict[tuple[str, str], Properties]


class Bootstrap(NamedTuple):
    """What a file holds: flags, members of cohorts, and which types groups belong to."""

    flags: list[Flag]
    cohorts: _Cohorts
    parent_types: ParentTypes


def read_file(path: str | PathLike[str]) -> Bootstrap:
    """What `burgee flags export` wrote, or somebody who left out what has defaults.

    Raises OSError, and ValueError for what is no such file.
    """
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    if not isinstance(document, dict) or not isinstance(document.get("flags"), list):
        raise ValueError("not an object with a list of flags")
    flags = [with_defaults(flag_from_document(each, f"flags[{at}]")) for at, each in enumerate(document["flags"])]
    return Bootstrap(flags, _cohorts(document.get("cohorts", {})), _parent_types(document.get("parent_types", {})))


def read_bootstrap(path: str | PathLike[str]) -> Snapshot | None:
    """The same as a snapshot. None, and an error in the log, if it cannot be read.

    Nothing is raised: what stands in for the server must not keep a service from starting.
    """
    try:
        flags, cohorts, parent_types = read_file(path)
        known = FlagSet(flags, parent_types)
        return Snapshot.of(known, stored=cohorts, cohorts=frozenset(key for _, key in cohorts))
    except Exception as error:
        logger.error("no bootstrap flags from %s: %s", path, words(error))
        return None


def _cohorts(document: Json) -> _Cohorts:
    if not isinstance(document, dict):
        raise ValueError("cohorts: not an object")
    cohorts: _Cohorts = {}
    for key, members in document.items():
        if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
            raise ValueError(f"cohorts.{key}: not a list of keys")
        cohorts[COHORT, key] = cohort(map(str, members))
    return cohorts


def _parent_types(document: Json) -> ParentTypes:
    if not isinstance(document, dict):
        raise ValueError("parent_types: not an object")
    for group_type, parent_type in document.items():
        if not isinstance(parent_type, str):
            raise ValueError(f"parent_types.{group_type}: not the name of a group type")
    return {group_type: str(parent_type) for group_type, parent_type in document.items()}
