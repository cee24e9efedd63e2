"""Names in the environment that look like settings and are none: nobody else would say so."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from burgee_server.settings import Settings

PREFIX = "BURGEE_"

_OTHERS = frozenset({"API_KEY", "TARGET", "PASSWORD", "WEBHOOK"})
"""What clients, commands and compose.yaml read."""

_SERVICE = re.compile(r"(.+_)?(SERVICE_(HOST|PORT(_.+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)")
"""What Kubernetes and Docker put into containers beside a service that is named burgee, or burgee- and more."""


def misspelt(environment: Iterable[str]) -> Iterator[str]:
    """A sentence on each such name, with the setting that it is most like. Never its value, which may be a secret."""
    settings = [name.upper() for name in Settings.model_fields]
    for name in sorted(environment):
        prefix, word = name[: len(PREFIX)].upper(), name[len(PREFIX) :].upper()
        if prefix != PREFIX or word in settings or word in _OTHERS or _SERVICE.fullmatch(word):
            continue
        near = get_close_matches(word, settings, n=1, cutoff=0.75)
        meant = f": {PREFIX}{near[0]}?" if near else ""
        yield f"{name} in the environment is no setting and changes nothing{meant}"
