"""Takes a serialized StoredBatch apart without reading its events. Laid end to end they are a StoredBatch again."""

_EVENT_TAG = 0x0A
"""Field 1 of a StoredBatch, whose length follows."""


def events_of(payload: bytes) -> list[bytes]:
    """The events of a StoredBatch, each as a StoredBatch of one. Raises ValueError for what is none."""
    events = []
    position = 0
    while position < len(payload):
        end = _end_of_event(payload, position)
        if end > len(payload):
            raise ValueError(f"the event at byte {position} ends at {end}, and the batch at {len(payload)}")
        events.append(payload[position:end])
        position = end
    return events


def _end_of_event(payload: bytes, position: int) -> int:
    if payload[position] != _EVENT_TAG:
        raise ValueError(f"no event begins at byte {position} of the batch")
    size = shift = 0
    for at in range(position + 1, len(payload)):
        size |= (payload[at] & 0x7F) << shift
        if payload[at] <= 0x7F:
            return at + 1 + size
        shift += 7
    raise ValueError(f"the batch ends within the length of the event at byte {position}")
