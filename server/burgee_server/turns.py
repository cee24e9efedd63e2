"""Who changes the configuration of an environment does so alone."""

import asyncio
from collections import defaultdict


class Turns(defaultdict[int, asyncio.Lock]):
    """A lock for each environment. Changes that are right one by one, and wrong together, are made one by one.

    Two flags that need each other close a cycle; a flag that names a cohort, and the end of that cohort, leave a flag
    that cannot be evaluated.
    """

    def __init__(self) -> None:
        super().__init__(asyncio.Lock)
