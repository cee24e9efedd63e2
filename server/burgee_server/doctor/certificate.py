"""Looks at the certificate that a server shows: whether its key is its own, whose names it has, until when it holds."""

import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from burgee_server.errors import BurgeeError
from burgee_server.findings import Finding, ok, warning, wrong
from burgee_server.rpc.certificate import server_side

SOON_SECONDS = 14 * 86_400
_RENEW = "put a new one, and its key, in the same files: the server notices"


def certificate(chain: Path, key: Path) -> Finding:
    """What a client would see of it that trusts whoever signed it."""
    try:
        seen = _seen(server_side(chain, key), chain)
    except BurgeeError as error:
        return wrong("certificate", str(error), "see tls_certificate and tls_key in docs/operations.md")
    except ssl.SSLCertVerificationError as error:
        return wrong("certificate", f"{chain}: {error.verify_message}", _RENEW)
    names = ", ".join(name for _, name in seen.get("subjectAltName", ()))
    if not names:
        return wrong("certificate", f"{chain} is for no name", "have it made for the names that clients call")
    ends = ssl.cert_time_to_seconds(seen["notAfter"])
    found = f"for {names}, until {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(ends))}"
    return ok("certificate", found) if ends > time.time() + SOON_SECONDS else warning("certificate", found, _RENEW)


def _seen(server: ssl.SSLContext, chain: Path) -> Mapping[str, Any]:
    """What a client sees: it trusts the certificate itself, as it cannot be known here whom real clients trust."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(chain)
    there, here = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking, answering = client.wrap_bio(here, there), server.wrap_bio(there, here, server_side=True)
    while True:
        try:
            asking.do_handshake()
            return asking.getpeercert() or {}
        except ssl.SSLWantReadError:
            try:
                answering.do_handshake()
            except ssl.SSLWantReadError:
                continue
