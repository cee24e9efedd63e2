"""CaptureService."""

from functools import partial
from typing import Any

import grpc

from burgee.v1 import capture_pb2 as pb
from burgee_server.capture import Capture
from burgee_server.journal.v1.journal_pb2 import StoredBatch
from burgee_server.rpc import call
from burgee_server.rpc.decoding import decode
from burgee_server.rpc.limits import CaptureLimits

_REQUEST = pb.CaptureRequest.DESCRIPTOR


class CaptureServicer:
    """Reads CaptureRequests as StoredBatches: the same bytes, with text that has not been checked yet."""

    def __init__(self, capture: Capture, limits: CaptureLimits) -> None:
        self._capture = capture
        self._limits = limits

    async def Capture(self, raw: bytes, _context: Any) -> pb.CaptureResponse:
        """Take a batch in."""
        principal = call.principal()
        with self._limits.inside(len(raw)):
            read = partial(decode, raw, StoredBatch.FromString, _REQUEST)
            receipt = await self._capture.take(principal.environment, read, len(raw))
        events = receipt.accepted + receipt.duplicate + len(receipt.rejected)
        await self._limits.charge(principal, events)
        response = pb.CaptureResponse(accepted=receipt.accepted, duplicate=receipt.duplicate)
        for rejection in receipt.rejected:
            response.rejected.add(index=rejection.index, field=rejection.field, reason=rejection.reason)
        return response

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve this on `server`. The message is given as bytes: large ones are read aside, with the events in them."""
        handler = grpc.unary_unary_rpc_method_handler(self.Capture, None, pb.CaptureResponse.SerializeToString)
        service = pb.DESCRIPTOR.services_by_name["CaptureService"].full_name
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Capture": handler}),))
