"""Posts documents to an address that is a secret: whoever knows it can write into the channel."""

import logging
from collections.abc import Sequence
from typing import Any
from urllib.request import getproxies, proxy_bypass

import click
import urllib3
from urllib3.exceptions import HTTPError, LocationParseError, ReadTimeoutError
from urllib3.util import Url, parse_url

from burgee_server.causes import of_system

_TRIES = 3
_SECONDS = 30.0
_SAID = 200
"""Characters of what a refusal says."""


class Webhook:
    """One document at a time, in order. Where it is too soon for another, it is tried again when the answer says."""

    def __init__(self, address: str) -> None:
        try:
            parts = parse_url(address)
        except LocationParseError:
            parts = Url()
        if parts.scheme not in ("https", "http") or not parts.host:
            raise click.ClickException("the address of a webhook begins with https:// and names a host")
        self._address = address
        self._host = parts.host
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)  # it warns of what it tries again, with the address
        # Only where nothing came of it, or there would be two messages.
        again = urllib3.Retry(
            _TRIES,
            read=0,
            redirect=False,
            status_forcelist=(429, 503),
            allowed_methods=None,
            backoff_factor=0.2,
            raise_on_status=False,
        )
        options: dict[str, Any] = {"retries": again, "timeout": _SECONDS}
        proxy = None if proxy_bypass(parts.host) else getproxies().get(parts.scheme)
        try:
            self._pool = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
        except HTTPError:
            raise click.ClickException(
                f"the proxy of the environment ({parts.scheme}_proxy) is no address that begins with http://"
            ) from None

    def post(self, documents: Sequence[dict[str, Any]]) -> None:
        """Raises ClickException at the first that is not taken: why, how many were, and never the address."""
        with self._pool:
            for taken, document in enumerate(documents):
                if failure := self._post(document):
                    raise click.ClickException(f"{failure}; {taken} of {len(documents)} messages were sent before")

    def _post(self, document: dict[str, Any]) -> str:
        """Why it was not taken; empty: it was."""
        try:
            answer = self._pool.request("POST", self._address, json=document)
        except HTTPError as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ReadTimeoutError):
                return f"{self._host} has not said in {_SECONDS:g} s whether it took a message"
            return f"{self._host} cannot be reached: {of_system(error) or type(reason).__name__}"
        if 200 <= answer.status < 300:
            return ""
        said = " ".join(answer.data.decode(errors="replace").split())[:_SAID]
        return f"{self._host} did not take a message: {answer.status} {said or answer.reason}"
