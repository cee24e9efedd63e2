"""Two ways to wait: blocking a thread, or suspending a task. Whatever waits is written once, as a coroutine."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Any, Protocol, TypeVar

_Result = TypeVar("_Result")


class Waits(Protocol):
    """How a coroutine of the client waits for what is not here yet."""

    async def call(self, method: Any, request: Any, timeout: float) -> Any:
        """The answer of a unary method of a stub, within so many seconds. Raises grpc.RpcError."""

    async def until(self, moment: "Future[None]", seconds: float) -> None:
        """Return when the moment has come, or after so many seconds."""


class Blocking:
    """Waits in the caller's thread: a coroutine that waits by this never suspends, and `now` runs it."""

    async def call(self, method: Any, request: Any, timeout: float) -> Any:
        """See Waits."""
        return method(request, timeout=timeout)

    async def until(self, moment: "Future[None]", seconds: float) -> None:
        """See Waits."""
        wait((moment,), seconds)


class Suspending:
    """Waits on the running event loop, which goes on meanwhile. No thread is taken up, however many wait."""

    async def call(self, method: Any, request: Any, timeout: float) -> Any:
        """See Waits. A task that is cancelled cancels its call."""
        return await answer(method.future(request, timeout=timeout))

    async def until(self, moment: "Future[None]", seconds: float) -> None:
        """See Waits."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await _done(moment)


BLOCKING = Blocking()
SUSPENDING = Suspending()


def now(coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """What a coroutine returns that waits by Blocking. Raises what it raises."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: _Result = done.value
        return result
    raise RuntimeError("a coroutine that was to block has suspended")


async def answer(call: Any) -> Any:
    """The answer of a call that was begun with `future`. Raises grpc.RpcError; who is cancelled cancels the call."""
    try:
        await _done(call)
    finally:
        call.cancel()  # changes nothing about one that is done
    return call.result()


async def _done(future: Any) -> None:
    """Suspend until a future of this package, or of grpc, is done."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def tell(_future: object) -> None:
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody is left to be told
            loop.call_soon_threadsafe(done.set)

    future.add_done_callback(tell)
    await done.wait()
