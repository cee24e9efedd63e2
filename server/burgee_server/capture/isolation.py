"""Finds the events that make the warehouse refuse a range, by halving it, so that the rest can go in."""

from burgee_server.journal.v1.journal_pb2 import StoredBatch
from burgee_server.ports.journal import Journal, Range
from burgee_server.ports.warehouse import Refused, Warehouse


async def isolate(refused: Range, warehouse: Warehouse, journal: Journal) -> None:
    """Load what can be loaded of a refused range and put the rest into quarantine, each event with its reason.

    Doing this again after a crash loads nothing twice, and quarantines nothing twice: the token of a part depends only
    on the range and its place there.
    """
    events = StoredBatch.FromString(refused.payload).events
    parts = [(0, len(events))]
    while parts:
        begin, end = parts.pop()
        payload = StoredBatch(events=events[begin:end]).SerializeToString()
        try:
            await warehouse.load(payload, again=True)
        except Refused as refusal:
            if end - begin == 1:
                await journal.quarantine(f"{refused.token}/{begin}-{end}", payload, str(refusal))
                continue
            middle = (begin + end) // 2
            parts += [(middle, end), (begin, middle)]
