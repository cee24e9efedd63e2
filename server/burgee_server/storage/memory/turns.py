"""Turns within a single process."""

import asyncio
from collections import defaultdict


class LocalTurns(defaultdict[int, asyncio.Lock]):
    """A lock for each environment."""

    def __init__(self) -> None:
        super().__init__(asyncio.Lock)
