"""Events that are looked at together: the same is found as by looking at each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee_server.capture import TimeWindow, admission, admit, together
from burgee_server.capture.checks import check_event, has_large_numbers
from burgee_server.capture.faults import Fault
from burgee_server.capture.groups import REMEMBERED_BYTES, types_of
from burgee_server.capture.together import TOGETHER_BYTES, check_together
from burgee_server.journal.v1.journal_pb2 import ArrivingBatch, ArrivingEvent, StoredEvent, StoredGroup
from tests.fixtures.examples import examples

NOW = 1_700_000_000_000_000
WINDOW = TimeWindow(24.0, 30.0)
UUID = b"123e4567-e89b-42d3-a456-426614174000"
GOOD = {"uuid": UUID, "event": b"paid", "distinct_id": b"ann", "timestamp_micros": NOW}


def event(**fields):
    """An event that is right but for these fields; groups as pairs."""
    groups = [StoredGroup(key=key, value=value) for key, value in fields.pop("groups", [(b"company", b"acme")])]
    stored = StoredEvent(**{**GOOD, **fields}, groups=groups)
    return ArrivingEvent.FromString(stored.SerializeToString())


def one_by_one(events, times, types):
    """Whether each is right; changes them as check_together() should."""
    try:
        for each in events:
            check_event(each, times, types)
    except Fault:
        return False
    return True


RIGHT = [
    {},
    {"uuid": b""},
    {"timestamp_micros": 0},
    {"timestamp_micros": NOW - 5_000_000},
    {"distinct_id": "zoë".encode()},
    {"distinct_id": b"two words"},
    {"properties_json": b'{"a": [1, {"b": "e123"}], "c": "\xc3\xa9"}'},
    {"properties_json": b'{"a": ' + b"9" * 400 + b"}"},
    {"groups": []},
    {"groups": [(b"company", b"bolt"), (b"team", b"x" * REMEMBERED_BYTES)]},
]
WRONG = [
    {"event": b""},
    {"event": b"  "},
    {"distinct_id": b"\xff"},
    {"distinct_id": b"a\nb"},
    {"distinct_id": b"x" * 201},
    {"uuid": UUID[:-1]},
    {"uuid": UUID[:-1] + b"g"},
    {"timestamp_micros": -1},
    {"timestamp_micros": NOW + 10**15},
    {"properties_json": b"[]"},
    {"properties_json": b'"text"'},
    {"properties_json": b"{},{}"},
    {"properties_json": b"{},"},
    {"properties_json": b'{"a": 1e400}'},
    {"properties_json": b'{"a": "\xff"}'},
    {"properties_json": b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}"},
    {"properties_json": b'{"a": "' + b"x" * 70_000 + b'"}'},
    {"groups": [(b"user", b"ann")]},
    {"groups": [(b"company", b"")]},
    {"groups": [(b"type %d" % number, b"a") for number in range(101)]},
]
FORMS = st.one_of(st.sampled_from(RIGHT), st.sampled_from(RIGHT), st.sampled_from(RIGHT + WRONG))


@examples(150)
@given(st.lists(FORMS, min_size=1, max_size=8), st.sampled_from([0, NOW, NOW - 90_000_000]))
def test_what_is_right_together_is_right_one_by_one(forms, sent_at):
    """Types and events are the same afterwards, and what is wrong one by one is never right together."""
    times = WINDOW.at(NOW, sent_at)
    together, each = [event(**form) for form in forms], [event(**form) for form in forms]
    types, types_of_each = {"team"}, {"team"}

    right = check_together(together, times, types)

    assert right == one_by_one(each, times, types_of_each)
    if right:
        assert (together, types) == (each, types_of_each)
    else:
        assert (together, types) == ([event(**form) for form in forms], {"team"})


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_one_wrong_event_is_noticed_among_right_ones(wrong):
    """Whatever is wrong with it."""
    events = [event(), event(**wrong), event()]
    assert not check_together(events, WINDOW.at(NOW, NOW), set())


@pytest.mark.parametrize(
    "texts",
    [
        [b'{"a": [1', b"2]}"],
        [b'{"a": "', b'"}'],
        [b"{},{}", b'{"a": [1', b"2]}"],
        [b"{}", b'{}, "x", {}'],
        [b'{}, "x"', b'"x", {}'],
        [b"{}]", b"[{}"],
    ],
    ids=repr,
)
def test_properties_that_are_an_object_only_with_those_of_the_next_event_are_wrong(texts):
    """They are read as one list, and none may make use of that."""
    events = [event(properties_json=text) for text in texts]
    assert not check_together(events, WINDOW.at(NOW, NOW), set())


def test_groups_that_are_not_written_as_usual_are_left_to_the_other_way():
    """It writes them as they should be: of two of one type the later, and nothing that nobody knows."""
    odd = StoredGroup(key=b"company", value=b"acme").SerializeToString() + b"\x18\x01"
    first, second = (StoredGroup(key=b"company", value=value).SerializeToString() for value in (b"acme", b"bolt"))
    for arrived, written in (([odd], [first]), ([first, second], [second])):
        given = ArrivingEvent(**GOOD, groups=arrived)
        assert types_of([given]) is None
        check_event(given, WINDOW.at(NOW, NOW), set())
        assert given.groups[:] == written


def test_a_group_that_is_no_message_is_the_fault_of_its_event():
    """And not of the whole batch."""
    broken = ArrivingEvent(**GOOD, groups=[b"\xff"])
    assert types_of([broken]) is None
    with pytest.raises(Fault, match="map of texts"):
        check_event(broken, WINDOW.at(NOW, NOW), set())


class Reader:
    """Reads as another one does, and counts the bytes of each time."""

    def __init__(self, reader):
        self._reader = reader
        self.sizes = []

    def decode(self, text):
        """What it says."""
        self.sizes.append(len(text))
        return self._reader.decode(text)


@pytest.mark.parametrize("wrong", [None, 30, 1_400], ids=["right", "a large one wrong", "a small one wrong"])
def test_few_large_events_before_many_small_ones_are_not_read_at_once(monkeypatch, wrong):
    """However small the average is: what is read at once is bounded, and found is what is found one by one."""
    texts = [b'{"a": "' + b"x" * 65_000 + b'"}'] * 50 + [b'{"a": ' + b"9" * 300 + b"}", b'{"a": 1}'] * 700
    if wrong is not None:
        texts[wrong] = texts[wrong][:-1]
    batch = ArrivingBatch(events=[event(properties_json=text) for text in texts])
    again, reader = ArrivingBatch.FromString(batch.SerializeToString()), Reader(together._objects)
    with monkeypatch.context() as watched:
        watched.setattr(together, "_objects", reader)
        found = admit(batch, 1, NOW, WINDOW, frozenset())
    monkeypatch.setattr(admission, "TOGETHER_FEWEST", len(texts) + 1)
    assert found == admit(again, 1, NOW, WINDOW, frozenset())
    assert [rejection.index for rejection in found.rejected] == ([] if wrong is None else [wrong])

    assert max(reader.sizes) <= TOGETHER_BYTES + 40 * admission.TOGETHER_EVENTS  # the words between them
    assert len(reader.sizes) < len(texts) / 10


@pytest.mark.parametrize("digits", [b"0", b"9", b"1234567890"], ids=repr)
def test_a_number_of_very_many_digits_is_found_whatever_they_are(digits):
    """200 in a row may be too large; 199, again and again, are not."""
    long = (digits * 200)[:200]
    assert has_large_numbers(b'{"a": [1, ' + long + b"]}", 400)
    assert not has_large_numbers(b'{"a": [' + b",".join([long[1:]] * 300) + b"]}", 1 << 17)
