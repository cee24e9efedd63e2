"""Calls whose time is over before the server has begun with them."""

import asyncio

from grpc import StatusCode
from grpc.aio import AioRpcError

from burgee.v1 import flags_pb2


async def test_a_call_whose_time_is_over_is_told_so_and_not_that_it_was_cancelled(admin):
    """A thousand with a millisecond each: few clients try again what they are told was cancelled."""

    async def call():
        try:
            await admin.flags.Evaluate(flags_pb2.EvaluateRequest(flag_key="beta"), timeout=0.001)
        except AioRpcError as error:
            return error.code()
        return StatusCode.OK

    codes = []
    for _ in range(10):
        codes += await asyncio.gather(*(call() for _ in range(100)))

    assert StatusCode.DEADLINE_EXCEEDED in codes
    assert StatusCode.CANCELLED not in codes
