"""How far an import or an export is, on standard error: a bar where somebody watches, else a line now and then."""

import time
from collections import deque
from datetime import timedelta
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

LINE_SECONDS = 10.0
WINDOW_SECONDS = 10.0
"""Over which the rate is taken."""


class Meter:
    """A context manager. `total` is how much there is of whatever `update` counts; None if nobody knows."""

    def __init__(self, total: int | None) -> None:
        console = Console(stderr=True)
        self._watched = console.is_terminal
        self._bar = Progress(
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[events]:,} events, {task.fields[rate]:,.0f}/s"),
            TimeRemainingColumn(),
            console=console,
            disable=not self._watched,
            speed_estimate_period=WINDOW_SECONDS,
        )
        self._task = self._bar.add_task("", total=total, events=0, rate=0.0)
        self._began = self._said = time.monotonic()
        self._seen = deque([(self._began, 0)])
        self._events = 0

    def update(self, done: int, events: int) -> None:
        """So much of `total` is done, and so many events."""
        now = time.monotonic()
        self._events = events
        self._seen.append((now, events))
        while now - self._seen[0][0] > WINDOW_SECONDS and len(self._seen) > 2:
            self._seen.popleft()
        then, before = self._seen[0]
        rate = (events - before) / max(now - then, 1e-3)
        self._bar.update(self._task, completed=done, events=events, rate=rate)
        if not self._watched and now - self._said >= LINE_SECONDS:
            self._said = now
            click.echo(self._line(rate), err=True)

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def _line(self, rate: float) -> str:
        task = self._bar.tasks[0]
        words = f"{self._events:,} events, {rate:,.0f}/s"
        if task.total:
            words += f", {task.percentage:.0f}%"
        if task.time_remaining is not None:
            words += f", {timedelta(seconds=int(task.time_remaining))} left"
        return words

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()
