"""The calls that are on their way, and how to have none: gRPC survives a fork of its process only between calls."""

import threading


class Traffic:
    """Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls = 0
        self._halted = False

    def enter(self) -> None:
        """A call begins; while there is a halt, it waits."""
        with self._changed:
            while self._halted:
                self._changed.wait()
            self._calls += 1

    def leave(self) -> None:
        """A call has ended."""
        with self._changed:
            self._calls -= 1
            self._changed.notify_all()

    def halt(self) -> None:
        """Let no call begin."""
        with self._changed:
            self._halted = True

    def wait(self, seconds: float) -> bool:
        """Wait until there is no call, at most so long. Whether there is none."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._calls, seconds)

    def resume(self) -> None:
        """Let calls begin again."""
        with self._changed:
            self._halted = False
            self._changed.notify_all()
