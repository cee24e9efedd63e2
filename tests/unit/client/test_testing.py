"""The fakes for users' own tests: they behave as the clients do, and show what was done with them."""

import inspect
import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import burgee
from burgee import AsyncClient, Client, ErrorCode, FlagState, QueryError, Reason
from burgee.testing import CapturedEvent, FakeAsyncClient, FakeClient, ProfileChange
from burgee.v1.flags_pb2_grpc import FlagServiceStub
from tests.unit.client.test_hostile import GROUPS, PROPERTIES, TEXTS, VALUES

PRO = [{"attribute": "company.plan", "operator": "equals", "values": ["pro"]}]
BY_PLAN = {"key": "by-plan", "enabled": True, "rules": [{"conditions": PRO, "distribution": {"bucket_by": "company"}}]}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("real", "fake"), [(Client, FakeClient), (AsyncClient, FakeAsyncClient)])
def test_a_fake_has_every_method_of_its_client_with_the_same_arguments(real: type, fake: type) -> None:
    """It is one, for type checkers and for isinstance; code under test cannot tell."""
    assert issubclass(fake, real)
    for name in dir(real):
        if not name.startswith("_") and name != "stub":
            theirs, ours = inspect.getattr_static(real, name), inspect.getattr_static(fake, name)
            if not isinstance(theirs, property):
                assert inspect.signature(ours) == inspect.signature(theirs), name
                assert inspect.iscoroutinefunction(ours) == inspect.iscoroutinefunction(theirs), name


def test_flags_are_what_the_test_says() -> None:
    """For everybody, of any type, until the test says otherwise."""
    fake = FakeClient({"new-reports": True, "seats": 50, "price": 1.5, "plan": "pro", "limits": {"a": [1]}})
    assert fake.is_enabled("new-reports", "ann", company="acme") is True
    assert fake.value("seats", "ann", 1) == 50
    assert fake.value("price", "ann", 0.0) == 1.5
    assert fake.value("plan", "ann", "free") == "pro"
    assert fake.value("limits", "ann", {}) == {"a": [1]}
    fake.set_flag("new-reports", False)
    fake.set_flag("plan", "business", variant="b")
    assert not fake.is_enabled("new-reports", "ann")
    resolution = fake.resolve("plan", "ann", default="free")
    assert (resolution.value, resolution.variant, resolution.reason) == ("business", "b", Reason.STATIC)
    assert fake.variant("new-reports") == "off"
    fake.remove_flag("plan")
    assert fake.resolve("plan", "ann", default="free").error_code is ErrorCode.FLAG_NOT_FOUND
    assert fake.all_flags().keys() == {"new-reports", "seats", "price", "limits"}
    assert fake.ready(0)
    assert fake.flag_status.state is FlagState.READY


def test_documents_of_flags_are_evaluated_with_what_was_stored(tmp_path: Path) -> None:
    """Rules and all, from documents or from a file of `burgee flags export`; profile changes are seen at once."""
    file = tmp_path / "flags.json"
    file.write_text(json.dumps({"flags": [BY_PLAN]}))
    fakes = FakeClient(), FakeClient(), FakeClient(bootstrap=file)
    fakes[0].put_flags([BY_PLAN])
    fakes[1].put_flags(file)
    for fake in fakes:
        assert not fake.is_enabled("by-plan", "ann", company="acme")
        fake.group("company", "acme", {"plan": "free"}, set_once={"plan": "pro"})
        assert not fake.is_enabled("by-plan", "ann", company="acme")
        fake.group("company", "acme", {"plan": "pro"})
        fake.group("company", "acme", set_once={"plan": "free", "seats": 1})
        assert fake.is_enabled("by-plan", "ann", company="acme")
        assert "company.plan is pro" in fake.explain("by-plan", "ann", company="acme").summary
        fake.group("company", "acme", unset=["plan"])
        assert not fake.is_enabled("by-plan", "ann", company="acme")
        fake.identify("ann", {"role": "admin"})
        admins = {"attribute": "user.role", "operator": "equals", "values": ["admin"]}
        fake.put_flags([{"key": "admins", "enabled": True, "rules": [{"conditions": [admins], "distribution": {}}]}])
        assert fake.is_enabled("admins", "ann")
        assert not fake.is_enabled("admins", "bob")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([{"key": "a b"}], "a b: key:"),
        ([{"key": "f", "kee": 1}], r"\[0\]"),
        ([{**BY_PLAN, "off_variant": "none"}], "by-plan: off_variant:"),
        ([{"key": "f", "prerequisites": [{"flag_key": "g", "variants": ["on"]}]}], 'there is no flag "g"'),
    ],
)
def test_a_flag_that_could_not_be_saved_is_refused(flags: list[dict[str, Any]], words: str) -> None:
    """A test that means nothing fails where it is written; nothing is changed."""
    fake = FakeClient()
    with pytest.raises(ValueError, match=words):
        fake.put_flags(flags)
    assert fake.all_flags() == {}


def test_events_and_changes_are_kept_as_they_would_be_sent() -> None:
    """Decoded again, so that what would not arrive is not there; exposures are apart."""
    fake = FakeClient({"f": True})
    uuid = "123e4567-e89b-42d3-a456-426614174000"
    fake.capture(
        "report_created", "ann", {"pages": 3, "at": NOON}, timestamp=NOON, uuid=uuid, company="acme", team=None
    )
    fake.identify("ann", {"role": "admin"}, set_once={"source": "ad"}, unset=["trial"])
    fake.group("company", "acme", {"seats": 5})
    fake.is_enabled("f", "ann", company="acme")
    properties = {"pages": 3, "at": "2026-03-01T12:00:00+00:00"}
    assert fake.events == [CapturedEvent("report_created", "ann", properties, {"company": "acme"}, NOON, uuid)]
    assert fake.changes == [
        ProfileChange("user", "ann", {"role": "admin"}, {"source": "ad"}, ("trial",)),
        ProfileChange("company", "acme", {"seats": 5}, {}, ()),
    ]
    assert [exposure.properties["$feature_flag"] for exposure in fake.exposures] == ["f"]
    assert fake.stats.sent == 4
    fake.clear()
    assert (fake.events, fake.changes, fake.exposures, fake.stats.sent) == ([], [], [], 0)
    fake.is_enabled("f", "ann", company="acme")
    assert len(fake.exposures) == 1


def test_what_the_client_drops_the_fake_drops() -> None:
    """With the same words; flush says so once, and after close everything is dropped."""
    fake = FakeClient()
    fake.capture("", "ann")
    fake.capture("seen", "ann", {"a": float("nan")})
    assert [loss.kind for loss in fake.dropped] == ["event", "event"]
    assert fake.flush() is False
    assert fake.flush() is True
    assert fake.close() == 0
    fake.capture("seen", "ann")
    fake.group("company", "acme", {"a": 1})
    assert [loss.reason for loss in fake.dropped[2:]] == ["the client is closed"] * 2
    assert fake.events == []


def test_questions_get_the_answer_that_the_test_gives() -> None:
    """Until it gives one they raise, as they do without a server."""
    fake = FakeClient()
    info = burgee.QueryInfo(None, 0, NOON, NOON, NOON)  # type: ignore[arg-type]
    for ask, answer in ((fake.trend, burgee.Trend((), (), info)), (fake.funnel, burgee.Funnel((), info))):
        with pytest.raises(QueryError, match="set_answer"):
            ask(["a", "b"])  # type: ignore[arg-type, operator]
        fake.set_answer(answer)  # type: ignore[arg-type]
        assert ask(["a", "b"]) is answer  # type: ignore[arg-type, operator]
    with pytest.raises(RuntimeError, match="no server"):
        fake.stub(FlagServiceStub)


def test_listeners_are_told_of_what_the_test_changes() -> None:
    """As by a server."""
    fake, told = FakeClient(), []
    stop = fake.on_flags(lambda changed: told.append(sorted(changed)))
    fake.set_flag("f", True)
    fake.remove_flag("f")
    stop()
    fake.set_flag("g", True)
    assert told == [["f"], ["f"]]


def test_no_thread_is_started() -> None:
    """Whatever is done with a fake."""
    before = threading.active_count()
    with FakeClient({"f": True}) as fake:
        fake.is_enabled("f", "ann")
        fake.capture("seen", "ann")
        fake.flush()
        assert threading.active_count() == before
    assert repr(fake) == "<burgee.FakeClient nowhere>"


async def test_the_fake_of_the_asyncio_client_is_awaited() -> None:
    """The same in await."""
    async with FakeAsyncClient({"f": True}) as fake:
        assert await fake.is_enabled("f", "ann")
        fake.capture("seen", "ann")
        assert await fake.flush()
        assert (await fake.explain("f", "ann")).summary
        assert await fake.ready()
        assert [event.event for event in fake.events] == ["seen"]


def test_whatever_is_passed_nothing_raises() -> None:
    """As with the client."""
    fake = FakeClient({"f": True})
    for thing in (*TEXTS, *VALUES, *PROPERTIES, *GROUPS):
        fake.capture(thing, thing, thing, groups=thing, company=thing)
        fake.resolve(thing, thing, groups=thing, properties=thing, company=thing)
        fake.all_flags(thing, groups=thing)
        fake.explain(thing, thing, groups=thing)
    assert fake.events == []
