"""What the server says of itself."""

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from burgee.v1.flag_admin_pb2 import CreateFlagRequest
from burgee.v1.flags_pb2 import Flag
from burgee_server.rpc.server import SERVICES, RpcServer
from burgee_server.rpc.streams import OpenStreams
from tests.rpc.conftest import refused


async def test_health_needs_no_key_and_says_serving_for_every_service(server):
    """What a balancer or a probe asks."""
    async with grpc.aio.insecure_channel(server.target) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", *SERVICES):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_health_says_not_serving_until_the_flags_of_every_environment_are_in_memory(server, admin):
    """A balancer sends nobody to a server whose first checks would have to wait; `ready` comes after warm()."""
    house = server.house
    await admin.flag_admin.CreateFlag(CreateFlagRequest(flag=Flag(key="seldom", enabled=True)))
    rpc = RpcServer(house.servicers, house.gate, OpenStreams(), house.limits, house.calls, house.transport)
    port = await rpc.start("127.0.0.1:0")

    def in_memory():
        return {key for flags in house.catalog.kept().values() for key in flags.flags}

    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        health = health_pb2_grpc.HealthStub(channel)

        async def statuses():
            requests = [health_pb2.HealthCheckRequest(service=service) for service in ("", *SERVICES)]
            return {(await health.Check(request)).status for request in requests}

        before = await statuses()
        assert "seldom" not in in_memory()
        await house.warm()
        assert "seldom" in in_memory()
        await rpc.ready()
        after = await statuses()
        await rpc.stop(0)

    assert before == {health_pb2.HealthCheckResponse.NOT_SERVING}
    assert after == {health_pb2.HealthCheckResponse.SERVING}


async def test_reflection_lists_every_service(server):
    """What grpcurl asks."""
    async with grpc.aio.insecure_channel(server.target) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        stream = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
        answers = [answer async for answer in stream]

    assert set(SERVICES) <= {service.name for service in answers[0].list_services_response.service}


async def test_a_method_that_is_not_there_is_unimplemented(admin):
    """Not INTERNAL, not a hang."""
    with refused(grpc.StatusCode.UNIMPLEMENTED):
        await admin.channel.unary_unary("/burgee.v1.FlagService/Nothing")(b"")


async def test_a_message_larger_than_grpc_takes_is_refused_and_the_server_stays_up(admin):
    """Beyond 16 MB gRPC itself says no."""
    with refused(grpc.StatusCode.RESOURCE_EXHAUSTED):
        await admin.channel.unary_unary("/burgee.v1.CaptureService/Capture")(b"\x0a" * (17 << 20))
    assert not (await admin.channel.unary_unary("/burgee.v1.FlagService/EvaluateAll")(b""))
