"""The door of capture: what it adds to an event."""

from uuid import RFC_4122, UUID

import pytest

from burgee_server.capture import TimeWindow, admit
from burgee_server.journal.v1.journal_pb2 import ArrivingBatch, ArrivingEvent, StoredBatch


def test_events_without_uuid_get_ones_of_their_own():
    """Ten thousand differ, and each is written as RFC 9562 has version 7: canonical, with time, version and variant.

    Those of another batch of the same moment differ, too.
    """
    given = []
    for _ in range(2):
        batch = ArrivingBatch(events=[ArrivingEvent(event=b"e", distinct_id=b"ann")] * 10_000)
        stored = StoredBatch.FromString(
            admit(batch, 1, 1_700_000_000_123_456, TimeWindow(24.0, None), frozenset()).payload
        )
        given += [event.uuid.decode() for event in stored.events]

    assert len(set(given)) == 20_000
    assert {
        (UUID(text).version, UUID(text).variant, UUID(text).int >> 80, str(UUID(text)) == text) for text in given
    } == {(7, RFC_4122, 1_700_000_000_123, True)}


def test_what_is_random_in_a_uuid_is_in_every_bit():
    """73 bits of it are random: each is set in about half of a thousand batches."""
    given = []
    for _ in range(1_000):
        batch = ArrivingBatch(events=[ArrivingEvent(event=b"e", distinct_id=b"ann")])
        [event] = StoredBatch.FromString(admit(batch, 1, 1, TimeWindow(24.0, None), frozenset()).payload).events
        given.append(UUID(event.uuid.decode()).int)
    bits = [sum(each >> bit & 1 for each in given) for bit in range(80)]
    assert sum(350 < count < 650 for count in bits) == 73


def test_a_uuid_in_another_form_is_kept_in_the_canonical_one():
    """Capital letters, braces and no hyphens are the same uuid: counted once, it has to be written once."""
    canonical = b"123e4567-e89b-42d3-a456-426614174000"
    forms = [
        canonical,
        canonical.upper(),
        canonical.replace(b"-", b""),
        b"{" + canonical + b"}",
        b"urn:uuid:" + canonical,
    ]
    batch = ArrivingBatch(events=[ArrivingEvent(event=b"e", distinct_id=b"ann", uuid=form) for form in forms])

    stored = StoredBatch.FromString(admit(batch, 1, 1, TimeWindow(24.0, None), frozenset()).payload)

    assert {event.uuid for event in stored.events} == {canonical}


@pytest.mark.parametrize(
    "text",
    ["{%s", "%s}", " %s", "%s\n", "urn:%s", "uuid:%s", "\N{FULLWIDTH DIGIT ZERO}" * 32, "1_" * 16, "+" + "1" * 31],
)
def test_what_only_python_takes_for_a_uuid_is_rejected(text):
    """It is a mistake of the sender, and two of them might be the same uuid."""
    uuid = text.replace("%s", "123e4567-e89b-42d3-a456-426614174000").encode()
    batch = ArrivingBatch(events=[ArrivingEvent(event=b"e", distinct_id=b"ann", uuid=uuid)])
    assert [bad.field for bad in admit(batch, 1, 1, TimeWindow(24.0, None), frozenset()).rejected] == ["uuid"]
