"""grpc.health.v1, whose watchers hear that the server stops, and do not hold it up."""

from typing import Any

from grpc_health.v1 import health, health_pb2

from burgee_server.errors import Stopping
from burgee_server.rpc.streams import OpenStreams


class Health(health.aio.HealthServicer):  # type: ignore[name-defined,misc]  # there at run time
    """A stopping server waits for calls that are open: those that watch it would be open for ever."""

    def __init__(self, streams: OpenStreams) -> None:
        super().__init__()
        self._streams = streams

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Any) -> None:
        """The status, whenever it changes; in the end, NOT_SERVING."""
        try:
            with self._streams.open(""):
                await super().Watch(request, context)
        except Stopping:
            await context.write(health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.NOT_SERVING))
