"""Batches that are taken apart without being read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee_server.capture.batches import events_of
from burgee_server.journal.v1.journal_pb2 import StoredBatch, StoredEvent

EVENTS = st.lists(st.builds(StoredEvent, event=st.binary(max_size=300), environment_id=st.integers(0, 2**32 - 1)))


@given(EVENTS)
def test_each_event_is_a_batch_of_its_own_and_together_they_are_the_batch(events):
    """Of any size, the empty one included."""
    payload = StoredBatch(events=events).SerializeToString()

    apart = events_of(payload)

    assert [StoredBatch.FromString(each).events[0] for each in apart] == events
    assert b"".join(apart) == payload


def test_batches_that_were_laid_end_to_end_are_taken_apart_as_one():
    """As they come out of the journal; a long event has a length of several bytes."""
    batches = [StoredBatch(events=[StoredEvent(event=b"x" * size)]).SerializeToString() for size in (0, 100, 70_000)]

    assert events_of(b"".join(batches)) == batches


@given(st.binary(max_size=200))
def test_what_is_no_batch_is_refused_in_words(junk):
    """Never with another error, and nothing of it is left out in silence."""
    try:
        apart = events_of(junk)
    except ValueError:
        return
    assert b"".join(apart) == junk


@pytest.mark.parametrize("payload", [b"\x0a", b"\x0a\x05abc", b"\x0a\x80", b"\x12\x00"])
def test_a_batch_that_is_cut_off_is_refused(payload):
    """In its tag, its length or its event."""
    with pytest.raises(ValueError, match="batch"):
        events_of(payload)
