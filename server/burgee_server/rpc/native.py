"""The server of pygrpc-native, and what we have different there; needs the extra `native`."""

import asyncio
import logging
import tempfile
import threading
from collections.abc import Sequence
from typing import Any

import pygrpc_native.aio
from pygrpc_native import EVENT_CALL, STREAM_CLOSED, STREAM_FULL

from burgee_server.rpc.crowd import Crowd
from burgee_server.rpc.door import Door
from burgee_server.rpc.waiting import WaitingCalls

_AT_A_TIME = 64
_BATCHES = 32
"""How many are taken out and sorted, at 1 to 2 µs a call, before some calls begin."""
_IO_THREADS = 1
"""It reads and writes for more calls than a Python process answers, and leaves the other processors alone."""
_LONGEST_SECONDS = 1.0
_LONGEST_PATH = 60
"""Of a directory for a socket, whose whole path may have 103 characters on some systems."""
_NOT_LISTENING = "(os error 22)"
"""EINVAL, as Rust writes it: what accepting says on a socket that listens no more. That is ours, at a stop."""

logging.getLogger("pygrpc_native.server").addFilter(lambda record: _NOT_LISTENING not in record.getMessage())


class NativeServer(pygrpc_native.aio.Server):
    """Takes calls out and answers them with fewer steps, and holds none of the event loop's threads for a slow reader.

    Below, a thread waits for calls and takes each few to the event loop, where each becomes a task. Here the thread
    only waits for the first: while there are more, the loop takes them out itself, and two threads need not take turns
    at the interpreter for every call. Connections take turns. What the door answers at once gets no task.
    """

    def __init__(self, door: Door, options: Sequence[tuple[str, Any]], most_connections: int = 0) -> None:
        """Serve behind a door; on more than `most_connections` it hangs up; 0: any number."""
        super().__init__(interceptors=[door], options=options, io_threads=_IO_THREADS)
        # What is behind, for health and reflection, is gRPC's own, whose limit refuses calls (docs/decisions/0120).
        self._options = [option for option in options if option[0] != "grpc.max_concurrent_streams"]
        self._door = door
        self._most_connections = most_connections
        self._thinning: asyncio.Task[None] | None = None
        self._waiting: WaitingCalls[tuple[Any, ...]] = WaitingCalls()
        self._none_left = threading.Semaphore(0)

    async def start(self) -> None:
        """Answer, and look after the number of connections."""
        await super().start()
        front: Any = self._front
        if self._most_connections:
            self._thinning = asyncio.create_task(Crowd(front.bound_port, self._most_connections).run())

    async def stop(self, grace: float | None) -> None:
        """As any server."""
        if self._thinning is not None:
            self._thinning.cancel()
        await super().stop(grace)

    def _dispatch(self) -> None:
        front: Any = self._front
        loop: Any = self._loop
        while (events := front.recv_batch_details(_AT_A_TIME)) is not None:
            try:
                loop.call_soon_threadsafe(self._take, events)
            except RuntimeError:  # the loop was closed, and nobody stopped the server
                front.close()
                return
            self._none_left.acquire()

    def _take(self, events: list[tuple[Any, ...]]) -> None:
        """Sort what has come, all of it, and begin some of it; the rest after whoever else waits for the loop."""
        front: Any = self._front
        loop: Any = self._loop
        try:
            if len(events) < _AT_A_TIME and not self._waiting:  # nobody has to wait for a turn
                events = [event for event in events if not self._answer(event)]
            for _ in range(_BATCHES):
                self._sort(events)
                if len(events) < _AT_A_TIME:  # that was all
                    break
                events = front.recv_batch_details(_AT_A_TIME, 0) or []
            else:
                self._sort(events)
            self._begin()
        finally:
            more = front.recv_batch_details(_AT_A_TIME, 0)
            if more or self._waiting:
                loop.call_soon(self._take, more or [])
            else:
                self._none_left.release()

    def _sort(self, events: list[tuple[Any, ...]]) -> None:
        """Calls into their lines. One that is given up before its turn, by its caller or its deadline, never begins."""
        for event in events:
            kind, number, _, _, _, details = event
            if kind == EVENT_CALL:
                self._waiting.add(details[1], number, event)
            elif (given_up := self._waiting.give_up(number)) is not None:
                self._door.count_given_up(self._table[given_up[2]][0], had_deadline=given_up[5][2] is not None)
            else:
                self._on_events([event])

    def _begin(self) -> None:
        """Answer calls in turns, or give them a task: so many that others have a turn at the loop soon."""
        others = []
        for _ in range(_AT_A_TIME):
            event = self._waiting.next()
            if event is None:
                break
            if not self._answer(event):
                others.append(event)
        if others:
            self._on_events(others)

    def _answer(self, event: tuple[Any, ...]) -> bool:
        """Answer a call if that is possible at once; whether it was."""
        kind, number, method_id, message, _, details = event
        if kind != EVENT_CALL:
            return False
        answer = self._door.answer_at_once(self._table[method_id][0], details[0], message)
        if answer is None:
            return False
        front: Any = self._front
        front.respond(number, answer)
        return True

    async def _send(self, call: Any, context: Any, response: Any) -> bool:
        front = self._front
        data = self._encode(call, context, response)
        if front is None or data is None:
            return False
        context._initial_sent = True
        seconds = 0.01
        while (sent := front.stream_try_send(call.call_id, data)) == STREAM_FULL:
            await asyncio.sleep(seconds)
            seconds = min(seconds * 2, _LONGEST_SECONDS)
        return bool(sent != STREAM_CLOSED)


def _fallback_socket() -> tuple[str, str]:
    """A directory of our own, and the socket in it: in /tmp, where a data directory's own would be too long a path."""
    usual = tempfile.gettempdir()
    directory = tempfile.mkdtemp(prefix="burgee-", dir=usual if len(usual) <= _LONGEST_PATH else "/tmp")  # noqa: S108
    return directory, f"{directory}/grpc"


pygrpc_native.aio._fallback_socket = _fallback_socket  # type: ignore[attr-defined]  # not meant to be ours
