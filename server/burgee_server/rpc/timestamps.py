"""Times as the wire has them."""

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from burgee_server.errors import Invalid

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


def read_timestamp(message: Timestamp, field: str) -> datetime:
    """The moment in a Timestamp, to the microsecond. Raises Invalid for none, which is 1970, and for nonsense."""
    if not message.ByteSize():
        raise Invalid.of(field, "must be given")
    try:
        return message.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise Invalid.of(field, "must be between the years 1 and 9999") from None
