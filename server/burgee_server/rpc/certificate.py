"""The certificate that a server shows: read at the start, and again whenever its files have changed."""

import logging
import os
import ssl
from collections.abc import Sequence
from pathlib import Path

import grpc

from burgee_server.errors import BurgeeError

log = logging.getLogger(__name__)


class Certificate:
    """A chain of certificates and the private key of the first, both PEM, the key without a password.

    Raises BurgeeError if they cannot be read, or do not belong together.
    """

    def __init__(self, chain: Path, key: Path) -> None:
        self._files = chain, key
        self._seen = self._told = self._look()
        self._now = self._read()

    def credentials(self) -> grpc.ServerCredentials:
        """What a port is opened with. Each connection is shown what the files hold at that time."""
        return grpc.dynamic_ssl_server_credentials(self._now, self._renewed)  # type: ignore[arg-type]

    def _renewed(self) -> grpc.ServerCertificateConfiguration | None:
        """What to show from now on; None is what was shown before. Never raises: gRPC calls it from its own threads."""
        if (seen := self._look()) == self._seen:
            return None
        try:
            read = self._read()
        except BurgeeError as error:
            if seen != self._told:  # files are written one by one, and may be given to us only then
                log.warning("%s; connections are shown the one from before", error)
                self._told = seen
            return None
        if self._look() != seen:  # written meanwhile: the next connection tells
            return None
        self._seen, self._now = seen, read
        log.info("the certificate was renewed")
        return read

    def _look(self) -> Sequence[tuple[int, int]]:
        """Something that changes with the files. A missing file looks like another one."""
        looks = []
        for path in self._files:
            try:
                status = path.stat()  # of what links lead to, as in a Kubernetes secret
            except OSError:
                looks.append((0, 0))
            else:
                looks.append((status.st_ino, status.st_mtime_ns))
        return looks

    def _read(self) -> grpc.ServerCertificateConfiguration:
        chain, key = self._files
        server_side(chain, key)
        try:
            return grpc.ssl_server_certificate_configuration([(key.read_bytes(), chain.read_bytes())])
        except OSError as error:
            raise BurgeeError(f"no certificate from {chain} and {key}: {error.strerror}") from error


def server_side(chain: Path, key: Path) -> ssl.SSLContext:
    """Python's own idea of a server with this certificate. Raises BurgeeError if it cannot be one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(chain, key, password=_no_password)
    except ssl.SSLError as error:
        why = f"these are no PEM files that belong together, or the key has a password ({error.reason})"
    except OSError as error:
        missing = next((path for path in (chain, key) if not os.access(path, os.R_OK)), chain)
        why = f"{missing} cannot be read ({error.strerror})"
    else:
        return context
    raise BurgeeError(f"no certificate from {chain} and {key}: {why}")


def _no_password() -> str:
    """Instead of a question on the terminal."""
    return ""
