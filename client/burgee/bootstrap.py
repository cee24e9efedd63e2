"""Flags from a file, for a process that starts while the server is away."""

import json
from os import PathLike

from burgee.evaluation import COHORT, FlagSet, Json, Properties, cohort, flag_from_document
from burgee.log import logger, words
from burgee.snapshot import Snapshot


def read_bootstrap(path: str | PathLike[str]) -> Snapshot | None:
    """What `burgee flags export` wrote. None, and an error in the log, if it cannot be read.

    Nothing is raised: what stands in for the server must not keep a service from starting.
    """
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        if not isinstance(document, dict) or not isinstance(document.get("flags"), list):
            raise ValueError("not an object with a list of flags")
        flags = FlagSet(flag_from_document(each, f"flags[{at}]") for at, each in enumerate(document["flags"]))
        cohorts = _cohorts(document.get("cohorts", {}))
        return Snapshot.of(flags, stored=cohorts, cohorts=frozenset(key for _, key in cohorts))
    except Exception as error:
        logger.error("no bootstrap flags from %s: %s", path, words(error))
        return None


def _cohorts(document: Json) -> dict[tuple[str, str], Properties]:
    if not isinstance(document, dict):
        raise ValueError("cohorts: not an object")
    cohorts: dict[tuple[str, str], Properties] = {}
    for key, members in document.items():
        if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
            raise ValueError(f"cohorts.{key}: not a list of keys")
        cohorts[COHORT, key] = cohort(map(str, members))
    return cohorts
