"""What the tests of the wire share."""

from contextlib import ExitStack, contextmanager

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from tests.rpc.watcher import Watcher


class Refusal:
    """What a refused call said: code, message, and field violations as {field: description}."""

    code: grpc.StatusCode
    message: str
    fields: dict[str, str]
    retry_after: float | None


@contextmanager
def refused(code: grpc.StatusCode, *fields: str):
    """Expect the calls inside to be refused with this code, naming at least these fields."""
    refusal = Refusal()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield refusal
    error = caught.value
    assert error.code() is code, f"{error.code()}: {error.details()}"
    refusal.code, refusal.message, refusal.fields, refusal.retry_after = error.code(), error.details(), {}, None
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        request, retry = error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        if detail.Unpack(request):
            refusal.fields |= {violation.field: violation.description for violation in request.field_violations}
        elif detail.Unpack(retry):
            refusal.retry_after = retry.retry_delay.ToTimedelta().total_seconds()
    assert set(fields) <= refusal.fields.keys(), refusal.fields


@pytest.fixture
async def watching():
    """Opens watchers; closes them after the test."""
    with ExitStack() as stack:

        def open_watcher(*arguments, **options):
            watcher = Watcher(*arguments, **options)
            stack.callback(watcher.cancel)
            return watcher

        yield open_watcher
