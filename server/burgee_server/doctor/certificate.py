"""Looks at the certificate that a server shows: whether its key is its own, whose names it has, until when it holds."""

import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from burgee_server.errors import BurgeeError
from burgee_server.findings import Finding, ok, warning, wrong
from burgee_server.rpc.certificate import server_side

SOON_SECONDS = 14 * 86_400
"""Before the end it is time to renew: or a third of its life, where that is less."""
_RENEW = "put a new one, and its key, in the same files: the server notices"
_MOST_ROUNDS = 10


def certificate(chain: Path, key: Path) -> Finding:
    """Of the files, what a client would see that trusts the first certificate itself.

    Whether clients trust whoever signed it, and have all that lies in between, cannot be known here.
    """
    try:
        seen = _seen(server_side(chain, key), chain)
    except BurgeeError as error:
        return wrong("certificate", str(error), "see tls_certificate and tls_key in docs/operations.md")
    except ssl.SSLCertVerificationError as error:
        return wrong("certificate", f"{chain}: {error.verify_message}", _RENEW)
    except ssl.SSLError as error:
        return wrong("certificate", f"{chain} cannot be used: {error.reason}", "have it made for a usual kind of key")
    names = ", ".join(name for _, name in seen.get("subjectAltName", ()))
    if not names:
        return wrong("certificate", f"{chain} is for no name", "have it made for the names that clients call")
    begins, ends = (ssl.cert_time_to_seconds(seen[name]) for name in ("notBefore", "notAfter"))
    issuer = ", ".join(value for pairs in seen["issuer"] for _, value in pairs)
    found = f"for {names}, by {issuer}, until {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(ends))}"
    is_soon = ends - time.time() < min(SOON_SECONDS, (ends - begins) / 3)
    return warning("certificate", found, _RENEW) if is_soon else ok("certificate", found)


def _seen(server: ssl.SSLContext, chain: Path) -> Mapping[str, Any]:
    """What a client is shown. Raises ssl.SSLError."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(chain)
    there, here = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking, answering = client.wrap_bio(here, there), server.wrap_bio(there, here, server_side=True)
    for _ in range(_MOST_ROUNDS):
        try:
            asking.do_handshake()
            return asking.getpeercert() or {}
        except ssl.SSLWantReadError:
            with suppress(ssl.SSLWantReadError):
                answering.do_handshake()
    raise ssl.SSLError("the two sides do not come to an end")
