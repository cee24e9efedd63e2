"""Whom a check is for: in memory, the same contexts are good, and the same are refused, as by the server."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee import Client, ErrorCode, Reason
from burgee.context import MAX_CONTEXT_BYTES, Asker, plain_context
from burgee.v1 import flags_pb2
from tests.fixtures.examples import examples
from tests.unit.client.fakes import Feed, Recorder

LONG = "x" * 201
LARGE: list[dict[str, Any]] = [
    {"properties": {"a": "x" * 66_000}},
    {"properties": {f"{number:04}": True for number in range(6_000)}},
    {"group_properties": {"company": {"a": "x" * 66_000}}},
    {"group_properties": {f"type-{number}": {"a": 1} for number in range(3_000)}},
    {"groups": {f"type-{number}": "x" * 190 for number in range(350)}},
]
TOO_LONG: list[dict[str, Any]] = [
    {"distinct_id": LONG},
    {"groups": {"company": LONG}},
    {"groups": {LONG: "acme"}},
]


@pytest.mark.parametrize("who", [*LARGE, *TOO_LONG])
def test_a_context_that_the_server_would_refuse_is_refused_in_memory(
    client: Client, server: Recorder, feed: Feed, who: dict[str, Any]
) -> None:
    """INVALID_CONTEXT, the default for the caller, and no call; as where every check is one."""
    assert client.is_enabled("f", company="acme")
    resolution = client.resolve("f", default=True, **who)
    assert (resolution.value, resolution.error_code) == (True, ErrorCode.INVALID_CONTEXT)
    assert "must be at most" in resolution.error_message
    assert client.all_flags(**who) == {}
    with Client(server.target, local_evaluation=False) as remote:
        assert remote.resolve("f", default=True, **who) == resolution
    assert [type(request) for request in server.requests] == [flags_pb2.WatchRequest]


def test_contexts_up_to_the_limits_are_answered(client: Client, feed: Feed) -> None:
    """200 characters, and properties of nearly 64 KB."""
    just = "x" * 200
    assert client.is_enabled("f", company="acme")
    for who in (
        {"distinct_id": just, "groups": {"company": just, just: just}},
        {"properties": {"a": "x" * 65_000}},
        {"properties": {f"{number:04}": True for number in range(4_000)}},
    ):
        assert client.resolve("f", **who).reason is not Reason.ERROR  # type: ignore[arg-type]


names = st.text(st.characters(codec="ascii"), max_size=250)
values = st.text(st.characters(codec="ascii"), max_size=40_000) | st.integers(-(2**60), 2**60) | st.booleans()
properties = st.dictionaries(names, values, max_size=4) | st.integers(0, 6_000).map(
    lambda count: {f"{number:03}": True for number in range(count)}
)


@examples(60)
@given(
    st.text(st.characters(codec="ascii"), max_size=210),
    st.dictionaries(names, names, max_size=3),
    properties,
    st.dictionaries(names, properties, max_size=3),
)
def test_the_short_way_takes_nothing_that_the_long_way_refuses_and_makes_the_same_of_it(
    who: str, groups: dict[str, str], own: dict[str, Any], of_groups: dict[str, dict[str, Any]]
) -> None:
    """Sizes are estimated there, and never too low."""
    short = plain_context(who, groups, own, of_groups)
    if short is not None:
        asker = Asker(who, None, groups, own, of_groups)
        assert asker.message().ByteSize() <= MAX_CONTEXT_BYTES
        long = asker.context()
        assert (short.distinct_id, short.groups, short.properties) == (long.distinct_id, long.groups, long.properties)
        assert short.group_properties == long.group_properties
