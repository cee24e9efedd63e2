"""grpc.health.v1, whose watchers hear that the server stops, and do not hold it up."""

from typing import Any

from grpc_health.v1 import health, health_pb2

from burgee_server.errors import Stopping
from burgee_server.rpc.streams import OpenStreams

_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Health(health.aio.HealthServicer):  # type: ignore[misc]  # there at run time
    """A stopping server waits for calls that are open: those that watch it would be open for ever."""

    def __init__(self, streams: OpenStreams) -> None:
        super().__init__()
        self._streams = streams

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Any) -> None:
        """The status, whenever it changes; in the end, NOT_SERVING."""
        watcher = _Watcher(context)
        try:
            with self._streams.open("", context.peer()):
                await super().Watch(request, watcher)
        except Stopping:
            if watcher.told != _NOT_SERVING:
                await context.write(health_pb2.HealthCheckResponse(status=_NOT_SERVING))


class _Watcher:
    """What Watch writes to; knows what was last told, or was about to be when the stream was ended."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self.told: int | None = None

    async def write(self, message: health_pb2.HealthCheckResponse) -> None:
        self.told = message.status
        await self._context.write(message)
