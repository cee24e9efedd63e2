"""Serves metrics over HTTP, at any path, to whoever asks: no key, so it belongs on a private address."""

import asyncio

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, start_http_server

from burgee_server.metrics.collector import Collector


class MetricsServer:
    """A thread of prometheus_client's own server. Made by start()."""

    def __init__(self, collector: Collector, host: str, port: int) -> None:
        registry = CollectorRegistry()
        for collect in (ProcessCollector, PlatformCollector, GCCollector):
            collect(registry=registry)
        registry.register(collector)
        try:
            self._server, self._thread = start_http_server(port, host, registry)
        except OSError as error:
            raise OSError(f"cannot serve metrics on {host}:{port}: {error.strerror}") from error
        self.port: int = self._server.server_port

    async def stop(self) -> None:
        """Answer nobody any more."""
        await asyncio.to_thread(self._server.shutdown)
        self._server.server_close()
        await asyncio.to_thread(self._thread.join)
