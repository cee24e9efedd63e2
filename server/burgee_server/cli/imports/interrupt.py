"""Ctrl-C that stops an import where nothing is lost: between two chunks."""

import signal
from collections.abc import Callable, Iterable, Iterator
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class Interrupt:
    """Inside, the first Ctrl-C ends `until_interrupted`, and the second whatever is being done.

    A context manager, for the main thread. `notice` is called at the first.
    """

    def __init__(self, notice: Callable[[], None]) -> None:
        self._notice = notice
        self._waiting = False
        self._before: Any = None
        self.happened = False

    def until_interrupted(self, items: Iterable[T]) -> Iterator[T]:
        """The items; none after Ctrl-C, which may come while the next is waited for."""
        iterator = iter(items)
        while not self.happened:
            self._waiting = True
            try:
                item = next(iterator)
            except (StopIteration, KeyboardInterrupt):
                return
            finally:
                self._waiting = False
            yield item

    def _handle(self, _signal: int, _frame: FrameType | None) -> None:
        if self.happened:
            raise KeyboardInterrupt
        self.happened = True
        self._notice()
        if self._waiting:
            raise KeyboardInterrupt

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        signal.signal(signal.SIGINT, self._before)
