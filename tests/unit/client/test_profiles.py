"""Changes of persons and groups on their way."""

from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict

from burgee import Client, Dropped
from burgee.v1.profiles_pb2 import IdentifyGroupRequest, IdentifyPersonRequest
from tests.unit.client.fakes import Failure, Recorder


def _numbers(requests: list[Any]) -> list[int]:
    return [int(MessageToDict(request.change.set)["number"]) for request in requests]


def test_a_change_arrives_as_it_was_made(client: Client, server: Recorder) -> None:
    """Set, set_once and unset of a group and of a person reach the server."""
    client.group("company", "acme", {"plan": "pro", "seats": 40}, set_once={"source": "ads"}, unset=["trial"])
    client.identify("ann", {"role": "admin"})
    assert client.flush()
    (group,) = server.of(IdentifyGroupRequest)
    assert (group.group_type, group.group_key) == ("company", "acme")
    assert MessageToDict(group.change) == {
        "set": {"plan": "pro", "seats": 40.0},
        "setOnce": {"source": "ads"},
        "unset": ["trial"],
    }
    (person,) = server.of(IdentifyPersonRequest)
    assert (person.distinct_id, MessageToDict(person.change)) == ("ann", {"set": {"role": "admin"}})


def test_changes_of_one_profile_arrive_in_order_even_when_calls_fail(client: Client, server: Recorder) -> None:
    """A change is not overtaken by a later one of the same person or group; the last one wins, as it should."""
    server.failures += [Failure(grpc.StatusCode.UNAVAILABLE)] * 3
    for number in range(30):
        client.identify("ann", {"number": number})
        client.group("company", "acme", {"number": number})
    assert client.flush()
    # A call that failed is there twice, at once: nothing came between.
    for kind in (IdentifyPersonRequest, IdentifyGroupRequest):
        assert sorted(set(_numbers(server.of(kind)))) == list(range(30))
        assert _numbers(server.of(kind)) == sorted(_numbers(server.of(kind)))


def test_one_profile_does_not_wait_for_another(client: Client, server: Recorder) -> None:
    """While a change of one person hangs, those of others go on."""
    server.hold.clear()
    client.identify("ann", {"number": 1})
    client.identify("ann", {"number": 2})
    client.identify("bob", {"number": 1})
    server.wait_for(lambda: len(server.requests) == 2)
    assert sorted(request.distinct_id for request in server.requests) == ["ann", "bob"]
    server.hold.set()
    assert client.flush()
    assert _numbers([request for request in server.requests if request.distinct_id == "ann"]) == [1, 2]


def test_a_refused_change_is_told_and_the_next_one_goes(
    client: Client, server: Recorder, dropped: list[Dropped]
) -> None:
    """One bad change does not block the profile."""
    server.failures.append(Failure(grpc.StatusCode.INVALID_ARGUMENT, "group_type: no dots"))
    client.group("company", "acme", {"number": 1})
    client.group("company", "acme", {"number": 2})
    assert not client.flush()
    assert dropped == [Dropped("group", "company:acme", "INVALID_ARGUMENT: group_type: no dots")]
    assert client.stats.sent == 1
    assert _numbers(server.of(IdentifyGroupRequest)) == [1, 2]


def test_bad_input_is_told_and_not_sent(client: Client, server: Recorder, dropped: list[Dropped]) -> None:
    """What cannot be a change is dropped with the reason, without a call."""
    client.identify("", {"plan": "pro"})
    client.identify("ann", {"plan": object()})
    client.group("company", "", {"plan": "pro"})
    client.identify("ann", unset="plan")
    assert not client.flush()
    assert [loss.reason for loss in dropped] == [
        "ValueError: distinct_id: 1 to 200 characters are needed",
        "TypeError: object cannot be a property",
        "ValueError: group_key: 1 to 200 characters are needed",
        "TypeError: unset: a list of names is needed",
    ]
    assert not server.requests
