"""Flags from a file, for a process that starts while the server is away."""

import json
from os import PathLike

from burgee.evaluation import Flag, FlagSet, flag_from_document, with_defaults
from burgee.log import logger, words
from burgee.snapshot import Snapshot


def read_flags(path: str | PathLike[str]) -> list[Flag]:
    """The flags that `burgee flags export` wrote, or somebody who left out what has defaults.

    Raises OSError, and ValueError for what is no such file.
    """
    with open(path, encoding="utf-8") as file:
        documents = json.load(file)
    if not isinstance(documents, list):
        raise ValueError("not a list of flags")
    return [with_defaults(flag_from_document(document, f"[{index}]")) for index, document in enumerate(documents)]


def read_bootstrap(path: str | PathLike[str]) -> Snapshot | None:
    """The same as a snapshot. None, and an error in the log, if they cannot be read.

    Nothing is raised: what stands in for the server must not keep a service from starting.
    """
    try:
        return Snapshot.of(FlagSet(read_flags(path)))
    except Exception as error:
        logger.error("no bootstrap flags from %s: %s", path, words(error))
        return None
