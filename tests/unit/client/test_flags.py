"""Flag checks that the server answers, and what happens when it does not."""

from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict

from burgee import Client, ErrorCode, Reason, Resolution
from burgee.v1 import flags_pb2
from tests.unit.client.fakes import Failure, Recorder, unused_target


def _gives(value: Any, variant: str = "on") -> Any:
    resolution = flags_pb2.Resolution(
        flag_key="f", variant=variant, reason=flags_pb2.REASON_SPLIT, rule_id="r1", flag_version=4
    )
    match value:
        case bool():
            resolution.value.bool_value = value
        case str():
            resolution.value.string_value = value
        case float():
            resolution.value.number_value = value
        case dict():
            resolution.value.struct_value.update(value)
        case list():
            resolution.value.list_value.extend(value)
    return lambda request: flags_pb2.EvaluateResponse(resolution=resolution)


def test_a_check_asks_for_the_whole_context(client: Client, server: Recorder) -> None:
    """User, groups and the properties of both reach the server; a group key of None does not."""
    server.answer = _gives(True)
    assert client.is_enabled(
        "f",
        "ann",
        groups={"team": "red"},
        properties={"role": "admin"},
        group_properties={"company": {"plan": "pro"}},
        company="acme",
        region=None,
    )
    (request,) = server.of(flags_pb2.EvaluateRequest)
    assert request.flag_key == "f"
    assert MessageToDict(request.context) == {
        "distinctId": "ann",
        "groups": {"team": "red", "company": "acme"},
        "properties": {"role": "admin"},
        "groupProperties": {"company": {"plan": "pro"}},
    }


def test_a_resolution_tells_variant_reason_rule_and_version(client: Client, server: Recorder) -> None:
    """What the server says is what the caller gets."""
    server.answer = _gives("blue", "b")
    assert client.resolve("f", "ann") == Resolution("f", "blue", "b", Reason.SPLIT, "r1", 4)
    assert client.variant("f", "ann") == "b"


@pytest.mark.parametrize(
    ("given", "default", "expected"),
    [
        (True, False, True),
        ("blue", "red", "blue"),
        (3.0, 1, 3),
        (3.0, 1.5, 3.0),
        (2.5, 1.5, 2.5),
        ({"a": 1.0}, {}, {"a": 1.0}),
        ([1.0, "x"], [], [1.0, "x"]),
    ],
)
def test_a_value_has_the_type_of_its_default(
    client: Client, server: Recorder, given: Any, default: Any, expected: Any
) -> None:
    """Numbers are doubles on the wire; where the default is an int, the value is one too."""
    server.answer = _gives(given)
    value = client.value("f", "ann", default)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("given", "default"),
    [
        (True, "red"),
        (True, 1),
        (True, 1.0),
        ("true", False),
        (1.0, True),
        (2.5, 1),
        ("3", 1),
        ({"a": 1.0}, []),
        ([1.0], {}),
        ("abc", []),
        (None, "red"),
    ],
)
def test_a_value_of_another_type_gives_the_default(client: Client, server: Recorder, given: Any, default: Any) -> None:
    """The default comes back, and the resolution says TYPE_MISMATCH."""
    server.answer = _gives(given)
    assert client.value("f", "ann", default) is default
    resolution = client.resolve("f", "ann", default=default)
    assert (resolution.value, resolution.reason, resolution.error_code) == (
        default,
        Reason.ERROR,
        ErrorCode.TYPE_MISMATCH,
    )


def test_a_flag_that_is_not_boolean_is_not_enabled(client: Client, server: Recorder) -> None:
    """A text of "true" enables nothing; the default decides."""
    server.answer = _gives("true")
    assert client.is_enabled("f", "ann") is False
    assert client.is_enabled("f", "ann", default=True) is True


def test_an_error_of_the_flag_gives_the_default(client: Client, server: Recorder) -> None:
    """An unknown flag is the default with the server's reason."""
    server.answer = lambda request: flags_pb2.EvaluateResponse(
        resolution=flags_pb2.Resolution(
            flag_key="f",
            reason=flags_pb2.REASON_ERROR,
            error_code=flags_pb2.ERROR_CODE_FLAG_NOT_FOUND,
            error_message="no such flag",
        )
    )
    assert client.value("f", "ann", "red") == "red"
    assert client.variant("f", "ann", default="none") == "none"
    assert client.resolve("f", "ann", default="red") == Resolution(
        "f", "red", "", Reason.ERROR, error_code=ErrorCode.FLAG_NOT_FOUND, error_message="no such flag"
    )


def test_a_server_that_is_not_there_gives_the_default_without_waiting() -> None:
    """Fails on the refused connection, long before the timeout, which would fail this test by its own."""
    with Client(unused_target(), flag_timeout=3_600) as client:
        assert client.is_enabled("f", "ann", default=True)
        resolution = client.resolve("f", "ann", default="red")
        assert (resolution.value, resolution.error_code) == ("red", ErrorCode.PROVIDER_NOT_READY)
        assert client.all_flags("ann") == {}
        assert client.explain("f", "ann").resolution.error_code == flags_pb2.ERROR_CODE_PROVIDER_NOT_READY


def test_a_server_that_hangs_gives_the_default_at_the_timeout(server: Recorder) -> None:
    """The caller is not held up longer than flag_timeout."""
    server.hold.clear()
    with Client(server.target, flag_timeout=0.05) as client:
        resolution = client.resolve("f", "ann", default=1)
    assert (resolution.value, resolution.reason, resolution.error_code) == (1, Reason.ERROR, ErrorCode.GENERAL)
    assert resolution.error_message.startswith("DEADLINE_EXCEEDED")


def test_every_check_has_the_flag_timeout_as_its_deadline(server: Recorder) -> None:
    """The server is told how long the answer is of use."""
    with Client(server.target, flag_timeout=3.0) as client:
        client.resolve("f", "ann")
        client.all_flags("ann")
        client.explain("f", "ann")
    assert len(server.remaining) == 3
    assert all(0 < seconds < 3.5 for seconds in server.remaining)


def test_a_failing_server_is_told_in_the_resolution(client: Client, server: Recorder) -> None:
    """Code and words of the server's error are kept."""
    server.failures.append(Failure(grpc.StatusCode.UNAUTHENTICATED, "no such key"))
    assert client.resolve("f", "ann").error_message == "UNAUTHENTICATED: no such key"


def test_all_flags_come_by_key(client: Client, server: Recorder) -> None:
    """One call, every flag."""
    server.answer = lambda request: flags_pb2.EvaluateAllResponse(
        resolutions=[_gives(True)(None).resolution, flags_pb2.Resolution(flag_key="g", reason=flags_pb2.REASON_ERROR)]
    )
    flags = client.all_flags("ann", company="acme")
    assert flags["f"].value is True
    assert flags["g"].reason is Reason.ERROR


def test_an_explanation_is_what_the_server_says(client: Client, server: Recorder) -> None:
    """Rules, draws and the summary come through."""
    server.answer = lambda request: flags_pb2.ExplainResponse(summary=f"because of {request.context.groups['company']}")
    assert client.explain("f", "ann", company="acme").summary == "because of acme"
