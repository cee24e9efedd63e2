"""The secrets of API keys: made here, kept nowhere but as a digest."""

import hashlib
import secrets


def new_secret() -> str:
    """A secret with 192 random bits. The prefix lets scanners of leaked secrets know it."""
    return f"burgee_{secrets.token_urlsafe(24)}"


def digest(secret: str) -> bytes:
    """What is stored of a secret. It is random and long, so one round of SHA-256 cannot be guessed backwards."""
    return hashlib.sha256(secret.encode()).digest()
