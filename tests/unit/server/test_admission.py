"""The door of capture: what it adds to an event."""

from uuid import RFC_4122, UUID

from burgee_server.capture import admit
from burgee_server.journal.v1.journal_pb2 import StoredBatch, StoredEvent


def test_events_without_uuid_get_random_ones_of_their_own():
    """Ten thousand differ, and each is written as RFC 9562 has version 4: canonical, with version and variant."""
    batch = StoredBatch(events=[StoredEvent(event=b"e", distinct_id=b"ann")] * 10_000)

    stored = StoredBatch.FromString(admit(batch, 1, 1, frozenset()).payload)

    given = [event.uuid.decode() for event in stored.events]
    assert len(set(given)) == 10_000
    assert {(UUID(text).version, UUID(text).variant, str(UUID(text)) == text) for text in given} == {
        (4, RFC_4122, True)
    }
    # Every bit that may vary does: 122 of them, each set in about half.
    bits = [sum(UUID(text).int >> bit & 1 for text in given) for bit in range(128)]
    assert sorted(count for count in bits if count in (0, 10_000)) == [0, 0, 0, 0, 10_000, 10_000]
    assert all(4_500 < count < 5_500 for count in bits if count not in (0, 10_000))


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
    batch = StoredBatch(events=[StoredEvent(event=b"e", distinct_id=b"ann", uuid=form) for form in forms])

    stored = StoredBatch.FromString(admit(batch, 1, 1, frozenset()).payload)

    assert {event.uuid for event in stored.events} == {canonical}
