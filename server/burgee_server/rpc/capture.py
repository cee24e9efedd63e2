"""CaptureService."""

from typing import Any

import grpc
from google.protobuf.message_factory import GetMessageClass

from burgee.v1 import capture_pb2 as pb
from burgee_server.capture import Capture, Quarantine
from burgee_server.errors import Invalid, NotFound
from burgee_server.journal.v1.journal_pb2 import StoredBatch
from burgee_server.names import MAX_NAME
from burgee_server.ports.quarantine import QuarantinedEvent, QuarantineStore, Selection
from burgee_server.ports.warehouse import from_micros
from burgee_server.rpc.arriving import read_batch
from burgee_server.rpc.call import environment_id, principal
from burgee_server.rpc.limits import CaptureLimits
from burgee_server.rpc.paging import fill, page_size, page_token, read_page_token
from burgee_server.rpc.timestamps import read_timestamp, timestamp

MAX_CHOSEN = 1_000


class CaptureServicer:
    """Events on their way in, and those in quarantine."""

    def __init__(self, capture: Capture, limits: CaptureLimits, store: QuarantineStore, quarantine: Quarantine) -> None:
        self._capture = capture
        self._limits = limits
        self._store = store
        self._quarantine = quarantine

    async def Capture(self, raw: bytes, _context: Any) -> pb.CaptureResponse:
        """Take a batch in."""
        caller = principal()
        with self._limits.inside(caller, len(raw)):
            receipt = await self._capture.take(caller.environment, read_batch, raw)
        events = receipt.accepted + receipt.duplicate + len(receipt.rejected)
        await self._limits.charge(caller, events)
        response = pb.CaptureResponse(accepted=receipt.accepted, duplicate=receipt.duplicate)
        for rejection in receipt.rejected:
            response.rejected.add(index=rejection.index, field=rejection.field, reason=rejection.reason)
        return response

    async def GetBatch(self, request: pb.GetBatchRequest, _context: Any) -> pb.GetBatchResponse:
        """What was acknowledged under an id."""
        return pb.GetBatchResponse(events=await self._capture.known(environment_id(), request.batch_id))

    async def ListQuarantinedEvents(
        self, request: pb.ListQuarantinedEventsRequest, _context: Any
    ) -> pb.ListQuarantinedEventsResponse:
        """A page of the quarantine."""
        limit = page_size(request.page_size)
        position = read_page_token(request.page_token, int)
        before = position[0] if position else None
        events = await self._store.page(environment_id(), _selection(request.filter), before, limit)
        response = pb.ListQuarantinedEventsResponse()
        if (last := fill(response.events, events, limit, _event)) is not None:
            response.next_page_token = page_token(last.quarantine_id)
        return response

    async def GetQuarantinedEvent(
        self, request: pb.GetQuarantinedEventRequest, _context: Any
    ) -> pb.GetQuarantinedEventResponse:
        """One event in quarantine."""
        chosen = Selection(quarantine_ids=frozenset({request.quarantine_id}))
        events = await self._store.page(environment_id(), chosen, None, 1)
        if not events:
            raise NotFound(f"no event {request.quarantine_id} is in quarantine")
        return pb.GetQuarantinedEventResponse(event=_event(events[0]))

    async def ReplayQuarantinedEvents(
        self, request: pb.ReplayQuarantinedEventsRequest, _context: Any
    ) -> pb.ReplayQuarantinedEventsResponse:
        """Offer events to the warehouse once more."""
        replay = await self._quarantine.replay(environment_id(), _selection(request.filter), principal().name)
        return pb.ReplayQuarantinedEventsResponse(replayed=replay.loaded, refused=replay.refused)

    async def PurgeQuarantinedEvents(
        self, request: pb.PurgeQuarantinedEventsRequest, _context: Any
    ) -> pb.PurgeQuarantinedEventsResponse:
        """Delete events for good."""
        selection = _selection(request.filter)
        if request.all != (selection == Selection()):
            raise Invalid.of("filter", "say which events, or else that you mean all of them")
        purged = await self._quarantine.purge(environment_id(), selection, principal().name)
        return pb.PurgeQuarantinedEventsResponse(purged=purged)

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve this on `server`. A CaptureRequest is given as bytes: the companion reads large ones, events too."""
        service = pb.DESCRIPTOR.services_by_name["CaptureService"]
        handlers = {
            method.name: grpc.unary_unary_rpc_method_handler(
                getattr(self, method.name),
                None if method.name == "Capture" else GetMessageClass(method.input_type).FromString,
                GetMessageClass(method.output_type).SerializeToString,
            )
            for method in service.methods
        }
        server.add_registered_method_handlers(service.full_name, handlers)


def _selection(chosen: pb.QuarantineFilter) -> Selection:
    """What a filter says. Raises Invalid."""
    if len(chosen.quarantine_ids) > MAX_CHOSEN:
        raise Invalid.of(
            "filter.quarantine_ids", f"at most {MAX_CHOSEN:,} at a time, got {len(chosen.quarantine_ids):,}"
        )
    if len(chosen.reason) > MAX_NAME:
        raise Invalid.of("filter.reason", f"must be at most {MAX_NAME} characters, got {len(chosen.reason):,}")
    return Selection(
        frozenset(chosen.quarantine_ids),
        chosen.reason,
        read_timestamp(chosen.start, "filter.start") if chosen.HasField("start") else None,
        read_timestamp(chosen.end, "filter.end") if chosen.HasField("end") else None,
    )


def _event(quarantined: QuarantinedEvent) -> pb.QuarantinedEvent:
    """The event as it was acknowledged; what is not UTF-8 in it, and cannot be sent, is replaced."""
    [stored] = StoredBatch.FromString(quarantined.payload).events
    return pb.QuarantinedEvent(
        quarantine_id=quarantined.quarantine_id,
        event=pb.Event(
            uuid=_text(stored.uuid),
            event=_text(stored.event),
            distinct_id=_text(stored.distinct_id),
            groups={_text(group.key): _text(group.value) for group in stored.groups},
            properties_json=_text(stored.properties_json),
            timestamp_micros=stored.timestamp_micros,
        ),
        reason=quarantined.reason,
        received_at=timestamp(from_micros(stored.received_at_micros)),
        quarantined_at=timestamp(quarantined.quarantined_at),
    )


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
