"""Whatever a caller passes, capture, identify, group and flag checks do not raise, and lose nothing silently."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burgee import Client, Dropped, Reason
from tests.fixtures.examples import examples
from tests.unit.client.fakes import Recorder, serving


class Bang(Exception):
    """Cannot even be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Explosive:
    """Raises wherever it is touched."""

    def _bang(self, *_: Any) -> Any:
        raise Bang

    __bool__ = __len__ = __iter__ = __eq__ = __getattr__ = __str__ = _bang
    __hash__ = None  # type: ignore[assignment]


def _circle() -> dict[str, Any]:
    circle: dict[str, Any] = {}
    circle["self"] = circle
    return circle


def _well() -> list[Any]:
    well: list[Any] = []
    for _ in range(20_000):
        well = [well]
    return well


TEXTS: list[Any] = ["", "\ud800", "x" * 300_000]
VALUES: list[Any] = [None, 7, 1.5, float("nan"), 10**400, b"bytes", [], {}, set(), object(), Explosive()]
PROPERTIES: list[Any] = [
    _circle(),
    {"deep": _well()},
    {1: 2},
    {(): 1},
    {"nan": float("nan")},
    {None: 1},
    {"a": "\ud800"},
]
GROUPS: list[Any] = [{"company": 7}, {"company": None}, {"company": Explosive()}, {"company": {"plan": Explosive()}}]
anything = st.integers(0, 23).map((TEXTS + VALUES + PROPERTIES + GROUPS).__getitem__) | st.text()


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    """One server for all examples."""
    with serving(Recorder()) as recorder:
        yield recorder


@examples(54)
@given(anything, anything, anything, anything, anything, anything, anything)
def test_capture_and_profiles_never_raise_and_account_for_every_call(
    recorder: Recorder, event: Any, who: Any, properties: Any, groups: Any, timestamp: Any, uuid: Any, key: Any
) -> None:
    """Three calls with anything at all: each is sent or told to on_drop."""
    dropped: list[Dropped] = []
    client = Client(recorder.target, on_drop=dropped.append)
    client.capture(event, who, properties, groups=groups, timestamp=timestamp, uuid=uuid, company=key)
    client.identify(who, properties, set_once=groups, unset=key)
    client.group(event, who, properties, set_once=groups, unset=key)
    client.flush()
    assert client.stats.sent + len(dropped) == 3
    assert client.stats.dropped == len(dropped)
    assert client.close() == 0


@examples(54)
@given(anything, anything, anything, anything, anything, anything)
def test_flag_checks_never_raise(
    recorder: Recorder, flag_key: Any, who: Any, default: Any, groups: Any, properties: Any, key: Any
) -> None:
    """With anything at all, there is an answer, and one that cannot be had is an error resolution."""
    client = Client(recorder.target, flag_timeout=5.0)
    where: Any = {"groups": groups, "properties": properties, "group_properties": groups, "company": key}
    assert client.is_enabled(flag_key, who, **where) is False
    assert client.value(flag_key, who, default, **where) is default
    assert client.resolve(flag_key, who, **where).reason is Reason.ERROR
    assert client.all_flags(who, **where) == {}
    assert client.variant(flag_key, who, **where) == ""
    client.explain(flag_key, who, **where)
    client.close()
