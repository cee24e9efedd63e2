"""The server that a command asks: whether it is named as one, and in words for people why it cannot be reached."""

import re

import click
import grpc

from burgee.target import read_target

_WHY = (
    (r"WRONG_VERSION_NUMBER|PROTOCOL_FAILURE.*HTTP_REQUEST", "it speaks plain text: leave out https://"),
    (
        r"CERTIFICATE_VERIFY_FAILED",
        "nobody who is trusted here has signed its certificate: GRPC_DEFAULT_SSL_ROOTS_FILE_PATH names a file of yours",
    ),
    (r"Hostname Verification Check failed", "its certificate has another name: call it by that"),
    (r"Socket closed|Connection reset", "it hung up; if it has a certificate, write https://"),
    (r"HTTP/2", "what listens there is no Burgee server: is it the right port?"),
    (r"errors resolving|hostname lookup|DNS", "there is no such host"),
    (r"Connection refused", "nothing listens there: does `burgee serve` run, and on this port?"),
    (r"Timeout|timed out|unreachable|No route", "it does not answer: is it the right host, and no firewall before it?"),
)
_CONNECTING = re.compile(r"failed to connect to all addresses|errors resolving|DNS resolution failed")
_NO_GRPC = "Received http2 header with status"


def checked(_context: click.Context, _option: click.Parameter, target: str | None) -> str | None:
    """Refuses what is no target, before anything is asked."""
    try:
        if target is not None:
            read_target(target)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return target


def in_words(target: str, code: grpc.StatusCode, message: str) -> str | None:
    """What a call says that reached no server at `target`; None if it reached one."""
    if message.startswith(_NO_GRPC):
        return f"no Burgee at {target}: what answers there is another server, or a proxy before it"
    if code is not grpc.StatusCode.UNAVAILABLE or not _CONNECTING.search(message):
        return None
    why = next((words for pattern, words in _WHY if re.search(pattern, message)), message)
    return f"no connection to {target}: {why}"
