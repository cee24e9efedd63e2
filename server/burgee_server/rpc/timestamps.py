"""Times as the wire has them."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from burgee_server.errors import Invalid


def timestamp(at: datetime | None) -> Timestamp | None:
    """A Timestamp; none for none."""
    if at is None:
        return None
    message = Timestamp()
    message.FromDatetime(at)
    return message


def read_timestamp(message: Timestamp, field: str) -> datetime:
    """The moment in a Timestamp, to the microsecond. Raises Invalid for none, which is 1970, and for nonsense."""
    if not message.ByteSize():
        raise Invalid.of(field, "must be given")
    try:
        return message.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise Invalid.of(field, "must be between the years 1 and 9999") from None
