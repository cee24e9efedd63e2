"""CaptureService."""

from typing import Any

import grpc

from burgee.v1 import capture_pb2 as pb
from burgee_server.capture import Capture
from burgee_server.journal.v1.journal_pb2 import StoredBatch
from burgee_server.rpc import call


class CaptureServicer:
    """Reads CaptureRequests as StoredBatches: the same bytes, with text that has not been checked yet."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture

    async def Capture(self, request: StoredBatch, _context: Any) -> pb.CaptureResponse:
        """Take a batch in."""
        receipt = await self._capture.take(call.environment_id(), request)
        response = pb.CaptureResponse(accepted=receipt.accepted, duplicate=receipt.duplicate)
        for rejection in receipt.rejected:
            response.rejected.add(index=rejection.index, field=rejection.field, reason=rejection.reason)
        return response

    async def GetBatch(self, request: pb.GetBatchRequest, _context: Any) -> pb.GetBatchResponse:
        """What was acknowledged under an id."""
        return pb.GetBatchResponse(events=await self._capture.known(call.environment_id(), request.batch_id))

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve this on `server`."""
        handlers = {
            "Capture": grpc.unary_unary_rpc_method_handler(
                self.Capture, StoredBatch.FromString, pb.CaptureResponse.SerializeToString
            ),
            "GetBatch": grpc.unary_unary_rpc_method_handler(
                self.GetBatch, pb.GetBatchRequest.FromString, pb.GetBatchResponse.SerializeToString
            ),
        }
        service = pb.DESCRIPTOR.services_by_name["CaptureService"].full_name
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
