"""Counts the calls of each method: those that are being answered, those that have ended, by code, and how long."""

from collections import Counter
from time import perf_counter

from burgee_server.meters import Timings


class MethodCalls:
    """The calls of one method."""

    __slots__ = ("codes", "is_stream", "running", "timings")

    def __init__(self, is_stream: bool) -> None:
        self.is_stream = is_stream
        self.codes: Counter[str] = Counter()
        self.timings = Timings()
        """Of streams: how long they were open."""
        self.running = 0

    def end(self, began: float, code: str) -> None:
        """Count a call that began at perf_counter() `began` and has ended with a canonical code."""
        self.codes[code] += 1
        self.timings.add(perf_counter() - began)


class Calls:
    """The calls of burgee.v1, by path of the method: only of methods that exist, however many are asked for."""

    def __init__(self) -> None:
        self.by_method: dict[str, MethodCalls] = {}
        self.late = 0
        """Calls of any method whose deadline had passed before their turn. They are of no method here."""

    def of(self, method: str, is_stream: bool) -> MethodCalls:
        """The calls of `/package.Service/Method`."""
        calls = self.by_method.get(method)
        if calls is None:
            calls = self.by_method[method] = MethodCalls(is_stream)
        return calls
