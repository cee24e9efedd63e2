"""Prerequisites that close a cycle, over real gRPC: refused, also when two changes that are right close it together."""

import asyncio
import random

import grpc
import pytest
from grpc import StatusCode

from burgee.v1 import admin_pb2
from burgee.v1 import flag_admin_pb2 as pb
from burgee.v1 import flags_pb2 as flags
from tests.fixtures.server import caller
from tests.rpc.conftest import refused
from tests.rpc.flag_calls import create, update

PAIRS = 12


def needing(key, *needed):
    """A flag that is on where others are."""
    prerequisites = [flags.Prerequisite(flag_key=each, variants=["on"]) for each in needed]
    return flags.Flag(key=key, enabled=True, fallthrough={}, prerequisites=prerequisites)


async def needs(admin):
    """What each flag needs now."""
    listed = (await admin.flag_admin.ListFlags(pb.ListFlagsRequest(page_size=1_000))).flags
    return {flag.key: [each.flag_key for each in flag.prerequisites] for flag in listed}


async def at_once(*calls):
    """The codes of calls that are made at the same time, in any order: None for one that was answered."""
    calls = random.sample(calls, len(calls))
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert all(not isinstance(each, BaseException) or isinstance(each, grpc.aio.AioRpcError) for each in done), done
    return [each.code() if isinstance(each, grpc.aio.AioRpcError) else None for each in done]


def one_of_each(graph, *pairs):
    """Whether of each two flags at most one needs the other."""
    return all(not (other in graph[one] and one in graph[other]) for one, other in pairs)


async def test_a_cycle_is_refused_and_told(admin):
    """By the prerequisite that would close it, with the way round."""
    for flag in (needing("a"), needing("b", "a"), needing("c", "b")):
        await create(admin, flag)
    with refused(StatusCode.INVALID_ARGUMENT, "flag.prerequisites[0].flag_key") as refusal:
        await update(admin, needing("a", "c"))
    assert "a -> c -> b -> a" in refusal.fields["flag.prerequisites[0].flag_key"]
    assert await needs(admin) == {"a": [], "b": ["a"], "c": ["b"]}


async def test_two_updates_at_once_close_no_cycle(admin):
    """Each would be right without the other: one is saved, and the other refused."""
    pairs = [(f"a{number}", f"b{number}") for number in range(PAIRS)]
    for key in (key for pair in pairs for key in pair):
        await create(admin, needing(key))
    for one, other in pairs:
        codes = await at_once(update(admin, needing(one, other)), update(admin, needing(other, one)))
        assert sorted(codes, key=str) == [None, StatusCode.INVALID_ARGUMENT]
    assert one_of_each(await needs(admin), *pairs)


async def test_many_updates_at_once_close_no_cycle(admin):
    """Ten flags that each want to need the next, in a ring: all but one may."""
    ring = [f"r{number}" for number in range(10)]
    for key in ring:
        await create(admin, needing(key))
    codes = await at_once(*(update(admin, needing(key, ring[n - 9])) for n, key in enumerate(ring)))
    assert codes.count(None) == 9
    assert codes.count(StatusCode.INVALID_ARGUMENT) == 1
    assert sum(map(len, (await needs(admin)).values())) == 9


async def test_a_restore_and_an_update_at_once_close_no_cycle(admin):
    """What was right at version 1 may be wrong by the time that it is restored."""
    pairs = [(f"a{number}", f"b{number}") for number in range(PAIRS)]
    for one, other in pairs:
        await create(admin, needing(other))
        await create(admin, needing(one, other))
        await update(admin, needing(one))
        restore = admin.flag_admin.RestoreFlagVersion(pb.RestoreFlagVersionRequest(flag_key=one, version=1))
        codes = await at_once(restore, update(admin, needing(other, one)))
        assert sorted(codes, key=str) == [None, StatusCode.INVALID_ARGUMENT]
    assert one_of_each(await needs(admin), *pairs)


@pytest.fixture
async def staging(server, admin):
    """An admin of the same project's staging environment."""
    await admin.admin.CreateEnvironment(admin_pb2.CreateEnvironmentRequest(key="staging"))
    request = admin_pb2.CreateApiKeyRequest(environment_key="staging", name="stage", role=admin_pb2.KEY_ROLE_ADMIN)
    staging = caller(server.target, (await admin.admin.CreateApiKey(request)).secret)
    yield staging
    await staging.channel.close()


async def test_a_copy_and_an_update_at_once_close_no_cycle(admin, staging):
    """A copy checks what it brings against what is here, and both stay as they are until it is done."""
    pairs = [(f"a{number}", f"b{number}") for number in range(PAIRS)]
    for one, other in pairs:
        for environment in (admin, staging):
            await create(environment, needing(other))
        await create(admin, needing(one))
        await create(staging, needing(one, other))
        copy = pb.CopyFlagsRequest(from_environment="staging", flag_keys=[one], overwrite=True)
        codes = await at_once(admin.flag_admin.CopyFlags(copy), update(admin, needing(other, one)))
        assert sorted(codes, key=str) == [None, StatusCode.INVALID_ARGUMENT]
    assert one_of_each(await needs(admin), *pairs)
