"""Times as the wire has them."""

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def timestamp(at: datetime | None) -> Timestamp | None:
    """A Timestamp; none for none."""
    if at is None:
        return None
    message = Timestamp()
    message.FromDatetime(at)
    return message


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def from_micros(count: int) -> datetime:
    """The moment this many microseconds after 1970."""
    return _EPOCH + count * _MICROSECOND
