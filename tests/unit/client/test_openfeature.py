"""The OpenFeature provider, through OpenFeature's own client."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ErrorCode, ProviderNotReadyError
from openfeature.flag_evaluation import Reason
from openfeature.provider import ProviderStatus
from openfeature.track import TrackingEventDetails

from burgee import AsyncClient, Client
from burgee.openfeature import BurgeeProvider
from burgee.testing import FakeAsyncClient, FakeClient
from burgee.v1 import flags_pb2
from tests.unit.client.fakes import Feed, Recorder, serving, unused_target
from tests.unit.client.streamed import change, flag, snapshot, wait_for

FLAGS = {"bool": True, "text": "blue", "whole": 50, "half": 0.5, "object": {"a": [1]}, "list": [1, "x"]}
ANN = EvaluationContext("ann", {"groups": {"company": "acme"}, "role": "admin"})


@pytest.fixture(params=[FakeClient, FakeAsyncClient])
def fake(request: pytest.FixtureRequest) -> FakeClient | FakeAsyncClient:
    """A fake of either client: the provider takes both."""
    made: FakeClient | FakeAsyncClient = request.param(FLAGS)
    return made


@pytest.fixture
def given() -> Iterator[Callable[[Client | AsyncClient], OpenFeatureClient]]:
    """OpenFeature's client, with a provider of a client of ours; set, as a service does it."""

    def use(client: Client | AsyncClient, ready_timeout: float = 5.0) -> OpenFeatureClient:
        api.set_provider_and_wait(BurgeeProvider(client, ready_timeout=ready_timeout), "tests")
        return api.get_client("tests")

    yield use
    api.shutdown()
    api.clear_providers()


CASES: list[tuple[str, str, Any, Any]] = [
    ("boolean", "bool", False, True),
    ("string", "text", "red", "blue"),
    ("integer", "whole", 1, 50),
    ("float", "half", 1.0, 0.5),
    ("float", "whole", 1.0, 50.0),
    ("object", "object", {}, {"a": [1]}),
    ("object", "list", [], [1, "x"]),
]


@pytest.mark.parametrize(("kind", "key", "default", "expected"), CASES)
async def test_every_type_is_resolved_in_both_ways(
    fake: Any, given: Any, kind: str, key: str, default: Any, expected: Any
) -> None:
    """Value, variant, reason and version, from a blocking call and from an awaited one."""
    client = given(fake)
    for details in (
        getattr(client, f"get_{kind}_details")(key, default, ANN),
        await getattr(client, f"get_{kind}_details_async")(key, default, ANN),
    ):
        assert (details.value, type(details.value)) == (expected, type(expected))
        assert (details.reason, details.error_code) == (Reason.STATIC, None)
        assert details.variant == ("on" if key == "bool" else "set")
        assert details.flag_metadata == {"version": 1}


@pytest.mark.parametrize(
    ("kind", "key", "default", "code"),
    [
        ("boolean", "nothing", True, ErrorCode.FLAG_NOT_FOUND),
        ("boolean", "text", True, ErrorCode.TYPE_MISMATCH),
        ("string", "bool", "red", ErrorCode.TYPE_MISMATCH),
        ("integer", "half", 7, ErrorCode.TYPE_MISMATCH),
        ("integer", "bool", 7, ErrorCode.TYPE_MISMATCH),
        ("float", "text", 7.5, ErrorCode.TYPE_MISMATCH),
        ("object", "list", {"mine": 1}, ErrorCode.TYPE_MISMATCH),
        ("object", "text", {"mine": 1}, ErrorCode.TYPE_MISMATCH),
    ],
)
async def test_an_error_gives_the_default_and_its_code(
    fake: Any, given: Any, kind: str, key: str, default: Any, code: ErrorCode
) -> None:
    """Nothing is raised, and nothing is captured as given."""
    client = given(fake)
    for details in (
        getattr(client, f"get_{kind}_details")(key, default, ANN),
        await getattr(client, f"get_{kind}_details_async")(key, default, ANN),
    ):
        assert (details.value, details.reason, details.error_code) == (default, Reason.ERROR, code)
        assert details.error_message
    assert fake.exposures == []


def test_the_context_names_user_groups_and_properties(given: Any) -> None:
    """targeting_key, `groups`, `group_properties`; all else is the user's. Rule and version come back."""
    fake = FakeClient()
    conditions = [
        {"attribute": "user.role", "operator": "equals", "values": ["admin"]},
        {"attribute": "user.since", "operator": "before", "values": ["2026-01-01"]},
        {"attribute": "company.plan", "operator": "equals", "values": ["pro"]},
        {"attribute": "company.key", "operator": "equals", "values": ["acme"]},
        {"attribute": "user.key", "operator": "equals", "values": ["ann"]},
    ]
    fake.put_flags([{"key": "f", "enabled": True, "rules": [{"conditions": conditions, "distribution": {}}]}])
    client = given(fake)
    attributes = {
        "role": "admin",
        "since": datetime(2025, 3, 1, tzinfo=UTC),
        "groups": {"company": "acme"},
        "group_properties": {"company": {"plan": "pro"}},
    }
    details = client.get_boolean_details("f", False, EvaluationContext("ann", attributes))
    assert (details.value, details.reason) == (True, Reason.TARGETING_MATCH)
    assert details.flag_metadata["rule_id"] == "rule-1"
    for missing in attributes:
        rest = {name: value for name, value in attributes.items() if name != missing}
        assert client.get_boolean_value("f", False, EvaluationContext("ann", rest)) is False
    assert (fake.exposures[0].distinct_id, fake.exposures[0].groups) == ("ann", {"company": "acme"})


@pytest.mark.parametrize("attributes", [{"groups": "acme"}, {"groups": {"company": 7}}, {"group_properties": 7}])
def test_a_context_that_makes_no_sense_is_an_error(given: Any, attributes: dict[str, Any]) -> None:
    """INVALID_CONTEXT, and the default."""
    details = given(FakeClient(FLAGS)).get_boolean_details("bool", False, EvaluationContext("ann", attributes))
    assert (details.value, details.error_code) == (False, ErrorCode.INVALID_CONTEXT)


def test_without_a_context_nobody_is_asked_about(given: Any) -> None:
    """A flag for everybody answers all the same."""
    assert given(FakeClient(FLAGS)).get_boolean_value("bool", False) is True


def test_tracking_captures_an_event(given: Any) -> None:
    """With value and attributes, on behalf of the groups; without a targeting key it is dropped, and told."""
    fake = FakeClient()
    client = given(fake)
    client.track("bought", ANN, TrackingEventDetails(99.5, {"currency": "EUR"}))
    client.track("seen", ANN)
    client.track("seen")
    assert [(event.event, event.properties, event.groups) for event in fake.events] == [
        ("bought", {"currency": "EUR", "value": 99.5}, {"company": "acme"}),
        ("seen", {}, {"company": "acme"}),
    ]
    assert [loss.name for loss in fake.dropped] == ["seen"]


def test_events_tell_of_changes_and_of_the_stream(given: Any) -> None:
    """READY when set; CONFIGURATION_CHANGED with the flags; STALE when the server is lost, READY when it is back."""
    told: list[tuple[ProviderEvent, EventDetails]] = []
    feed = Feed(snapshot("e.1", flag(), acme="pro"))
    recorder = Recorder(watch=feed)
    with serving(recorder):
        burgee_client = Client(recorder.target, flag_timeout=5.0, exposures=False)
        client = given(burgee_client)
        handlers = {event: lambda details, event=event: told.append((event, details)) for event in ProviderEvent}
        for event, handler in handlers.items():
            client.add_handler(event, handler)
        wait_for(lambda: [event for event, _ in told] == [ProviderEvent.PROVIDER_READY])
        assert client.get_boolean_value("f", False, ANN) is True
        feed.send(change("e.2", flag(version=2)))
        wait_for(lambda: len(told) == 2)
        assert told[1][0] is ProviderEvent.PROVIDER_CONFIGURATION_CHANGED
        assert told[1][1].flags_changed == ["f"]
    wait_for(lambda: client.get_provider_status() is ProviderStatus.STALE)
    assert client.get_boolean_details("f", False, ANN).reason == Reason.STALE
    again = Recorder(watch=Feed(snapshot("f.1", flag(version=2), acme="pro")))
    with serving(again, recorder.port):
        wait_for(lambda: client.get_provider_status() is ProviderStatus.READY)
        wait_for(lambda: len(told) == 4)
        assert [event for event, _ in told[2:]] == [ProviderEvent.PROVIDER_STALE, ProviderEvent.PROVIDER_READY]
        for event, handler in handlers.items():
            client.remove_handler(event, handler)
        api.shutdown()
        assert burgee_client.is_enabled("f", company="acme"), "the client is the caller's, and still open"
        burgee_client.close(0)


def test_a_provider_without_flags_is_an_error_until_they_come() -> None:
    """set_provider_and_wait raises; checks give the default; when the server is there, it is ready by itself."""
    target = unused_target()
    burgee_client = Client(target, flag_timeout=5.0, exposures=False)
    try:
        with pytest.raises(ProviderNotReadyError) as raised:
            api.set_provider_and_wait(BurgeeProvider(burgee_client, ready_timeout=0.05), "tests")
        assert "no flags after 0.05 s" in str(raised.value.error_message)
        client = api.get_client("tests")
        assert client.get_provider_status() is ProviderStatus.ERROR
        assert client.get_boolean_value("f", True, ANN) is True
        recorder = Recorder(watch=Feed(snapshot("e.1", flag(), acme="pro")))
        with serving(recorder, int(target.rpartition(":")[2])):
            wait_for(lambda: client.get_provider_status() is ProviderStatus.READY)
            assert client.get_boolean_details("f", False, ANN).reason == Reason.TARGETING_MATCH
            burgee_client.close(0)
    finally:
        api.shutdown()
        api.clear_providers()


def test_a_provider_with_a_bootstrap_file_is_ready_without_a_server(given: Any, tmp_path: Path) -> None:
    """Each answer says that it is stale, and soon the provider does."""
    file = tmp_path / "flags.json"
    file.write_text('{"flags": [{"key": "f", "enabled": true, "fallthrough": {}}]}')
    burgee_client = Client(unused_target(), bootstrap=file, flag_timeout=5.0)
    client = given(burgee_client, ready_timeout=0.05)
    assert client.get_boolean_details("f", False, ANN).reason == Reason.STALE
    wait_for(lambda: client.get_provider_status() is ProviderStatus.STALE)
    burgee_client.close(0)


def test_a_provider_without_local_evaluation_asks(given: Any, server: Recorder) -> None:
    """It is ready at once, and each check is a call."""
    server.answer = lambda request: flags_pb2.EvaluateResponse(
        resolution={"flag_key": "f", "value": {"bool_value": True}, "variant": "on", "reason": "REASON_SPLIT"}
    )
    with Client(server.target, local_evaluation=False, exposures=False) as burgee_client:
        assert given(burgee_client).get_boolean_details("f", False, ANN).reason == Reason.SPLIT


def test_importing_burgee_needs_no_openfeature() -> None:
    """It is an extra."""
    script = "import sys; sys.modules['openfeature'] = None; import burgee, burgee.testing"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
