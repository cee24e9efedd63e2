"""A gRPC server with every service, behind the door."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pool
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from burgee.v1 import (
    actions_pb2,
    actions_pb2_grpc,
    admin_pb2,
    admin_pb2_grpc,
    capture_pb2,
    cohorts_pb2,
    cohorts_pb2_grpc,
    flag_admin_pb2,
    flag_admin_pb2_grpc,
    flags_pb2,
    insights_pb2,
    insights_pb2_grpc,
    profiles_pb2,
    profiles_pb2_grpc,
)
from burgee_server.access import Gate
from burgee_server.errors import BurgeeError
from burgee_server.ports.journal import Journal
from burgee_server.rpc.actions import ActionServicer
from burgee_server.rpc.admin import AdminServicer
from burgee_server.rpc.calls import Calls
from burgee_server.rpc.capture import CaptureServicer
from burgee_server.rpc.cohorts import CohortServicer
from burgee_server.rpc.door import CAPTURE, Door
from burgee_server.rpc.flag_admin import FlagAdminServicer
from burgee_server.rpc.flags import FlagServicer
from burgee_server.rpc.health import Health
from burgee_server.rpc.insights import InsightServicer
from burgee_server.rpc.limits import CaptureLimits
from burgee_server.rpc.methods import Methods
from burgee_server.rpc.profiles import ProfileServicer
from burgee_server.rpc.running import RunningCalls
from burgee_server.rpc.sockets import hang_up, listen_no_more, say_goodbye
from burgee_server.rpc.streams import OpenStreams
from burgee_server.rpc.transport import Transport

SERVICES = tuple(
    service.full_name
    for file in (
        actions_pb2,
        admin_pb2,
        capture_pb2,
        cohorts_pb2,
        flag_admin_pb2,
        flags_pb2,
        insights_pb2,
        profiles_pb2,
    )
    for service in file.DESCRIPTOR.services_by_name.values()
)

CAPTURE_SERVICE = capture_pb2.DESCRIPTOR.services_by_name["CaptureService"].full_name
EVALUATE = "/burgee.v1.FlagService/Evaluate"
APART = (CAPTURE, EVALUATE)
"""What comes in greater numbers than can be answered, so that nobody else is to wait behind it (docs/decisions/0098);
and what is answered in fewer steps than grpc.aio's (docs/decisions/0117)."""
LOOK_SECONDS = 2.0
"""How often it is looked whether the journal can be reached."""

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@dataclass(frozen=True, slots=True)
class Servicers:
    """One servicer a service."""

    actions: ActionServicer
    admin: AdminServicer
    capture: CaptureServicer
    cohorts: CohortServicer
    flag_admin: FlagAdminServicer
    flags: FlagServicer
    insights: InsightServicer
    profiles: ProfileServicer


class RpcServer:
    """Serves on one address. Health says SERVING only between `ready` and `stop`, and NOT_SERVING before and after.

    Without servicers, there is nothing but health and reflection.
    """

    def __init__(
        self,
        servicers: Servicers | None,
        gate: Gate,
        streams: OpenStreams,
        limits: CaptureLimits,
        calls: Calls,
        transport: Transport,
    ) -> None:
        self._streams = streams
        self._running = RunningCalls()
        self._transport = transport
        self._port = 0
        at_once = {} if servicers is None else {EVALUATE: servicers.flags.at_once}
        door = Door(gate, self._running, streams, limits, calls, reads_first=transport.native, at_once=at_once)
        self._server = transport.server(door)
        self._health = Health(streams)
        self._services = SERVICES if servicers is not None else ()
        methods: Any = self._server if transport.native else Methods()
        if servicers is not None:
            _add(servicers, methods)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, methods)
        reflection.enable_server_reflection(
            (*self._services, health.SERVICE_NAME, reflection.SERVICE_NAME), methods, descriptor_pool.Default()
        )
        if not transport.native:
            methods.serve(self._server, APART)

    async def start(self, listen: str) -> int:
        """Listen on HOST:PORT and answer; return the port. Raises OSError if the address cannot be had.

        Calls are answered from here on, if slowly; whoever asks for the health is told to wait for `ready`.
        """
        self._port = self._transport.listen(self._server, listen)
        self._streams.detours.begin(self._port, self._transport.most_calls, plain=self._transport.certificate is None)
        await self._set_health(("", *self._services), _NOT_SERVING)
        await self._server.start()
        return self._port

    async def ready(self) -> None:
        """Say SERVING, for the server as a whole and for each service."""
        await self._set_health(("", *self._services), _SERVING)

    async def follow(self, journal: Journal) -> None:
        """From `ready` to the end, say of CaptureService NOT_SERVING while its journal cannot be reached."""
        reached = True
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await journal.batch(0, "health")
            except BurgeeError:
                now = False
            else:
                now = True
            if now is not reached:
                reached = now
                await self._set_health((CAPTURE_SERVICE,), _SERVING if reached else _NOT_SERVING)

    async def stop(self, grace_seconds: float, notice_seconds: float = 0.0) -> None:
        """Say NOT_SERVING; after the notice listen no more, end streams, say goodbye, and let calls that run finish.

        New ones, and those that take longer, are answered with Stopping; then the line is cut.
        """
        await self._health.enter_graceful_shutdown()
        await asyncio.sleep(notice_seconds)
        listen_no_more(self._port)  # who is told to go would come back here, and not to the next of its addresses
        self._streams.stop()
        self._say_goodbye()
        await self._running.stop(grace_seconds)
        self._say_goodbye()  # to those who have come since, or were being written to
        hang_up(self._port)
        await self._server.stop(0)

    def _say_goodbye(self) -> None:
        if self._transport.certificate is None:  # what is not said in TLS would break it
            say_goodbye(self._port)

    async def _set_health(self, services: Sequence[str], status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for service in services:
            await self._health.set(service, status)


def _add(servicers: Servicers, server: Any) -> None:
    """Let a server answer every service."""
    servicers.capture.add_to(server)
    actions_pb2_grpc.add_ActionServiceServicer_to_server(servicers.actions, server)
    admin_pb2_grpc.add_AdminServiceServicer_to_server(servicers.admin, server)
    cohorts_pb2_grpc.add_CohortServiceServicer_to_server(servicers.cohorts, server)
    flag_admin_pb2_grpc.add_FlagAdminServiceServicer_to_server(servicers.flag_admin, server)
    servicers.flags.add_to(server)
    insights_pb2_grpc.add_InsightServiceServicer_to_server(servicers.insights, server)
    profiles_pb2_grpc.add_ProfileServiceServicer_to_server(servicers.profiles, server)
