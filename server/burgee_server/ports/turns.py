"""Who changes the configuration of an environment does so alone."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Turns(Protocol):
    """A lock for each environment, on whatever node. Changes that are right one by one, and wrong together, take turns.

    Two flags that need each other close a cycle; a flag that names a cohort, and the end of that cohort, leave a flag
    that cannot be evaluated. Number 0 stands for the installation as a whole.
    """

    def __getitem__(self, environment_id: int, /) -> AbstractAsyncContextManager[None]:
        """To be held from the first read that a change rests on until it is written. Raises Unavailable."""
