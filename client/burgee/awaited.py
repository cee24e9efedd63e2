"""Stubs for asyncio, on the channel that there is: gRPC's own one for asyncio would not survive a fork."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cache
from typing import Any, TypeVar, cast

import grpc

from burgee.waits import answer

_Stub = TypeVar("_Stub")


@cache
def awaited(kind: Callable[[grpc.aio.Channel], _Stub]) -> Callable[[grpc.Channel], _Stub]:
    """What makes a stub of this kind on a channel, with calls that are awaited; the same thing each time."""
    return lambda channel: kind(cast("grpc.aio.Channel", _AwaitedChannel(channel)))


class _AwaitedChannel:
    """As much of grpc.aio.Channel as generated stubs of this package need."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel

    def unary_unary(self, *arguments: Any, **options: Any) -> Callable[..., Awaitable[Any]]:
        """A method that is awaited."""
        method: Any = self._channel.unary_unary(*arguments, **options)

        async def call(request: Any, **with_options: Any) -> Any:
            return await answer(method.future(request, **with_options))

        return call

    def unary_stream(self, *arguments: Any, **options: Any) -> Callable[..., AsyncIterator[Any]]:
        """A method whose messages are read with `async for`; each wait takes a thread of the loop's executor."""
        method: Any = self._channel.unary_stream(*arguments, **options)

        async def call(request: Any, **with_options: Any) -> AsyncIterator[Any]:
            messages = method(request, **with_options)
            try:
                while (message := await asyncio.to_thread(next, messages, None)) is not None:
                    yield message
            finally:
                messages.cancel()

        return call
