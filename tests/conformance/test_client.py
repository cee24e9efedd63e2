"""The client answers every conformance case from what a server would stream to it, and asks only where it must."""

import pytest

import burgee.flags
from burgee.evaluation import USER, FlagSet, Reason, Resolution
from burgee.flags import Flags
from burgee.intake import Intake
from burgee.v1.flags_pb2 import WatchResponse
from burgee_server.flags.contents import Contents, mentioned, messages, only, stored_part
from burgee_server.flags.rosters import Rosters
from tests.conformance.cases import Case, read_cases

CASES = list(read_cases())
ASKED = Resolution("", None, "", Reason.ERROR, error_message="the server was asked")


class Remote:
    """Is asked for one thing only: whether it was asked."""

    silent_at = 0.0

    async def resolve(self, *_arguments: object) -> Resolution:
        return ASKED

    async def resolve_all(self, *_arguments: object) -> dict[str, Resolution]:
        return {"": ASKED}


class Stream:
    """Holds the snapshot of a case, put together from messages as the server writes them."""

    def __init__(self, case: Case) -> None:
        flags = FlagSet(case.flags)
        contents = Contents()
        contents.put_flags(flags.flags)
        for group_type, names in mentioned(flags).items():
            stored = {key: only(names, each) for (owner, key), each in case.profiles.items() if owner == group_type}
            contents.put_types({group_type: {key: stored_part(group_type, key, each) for key, each in stored.items()}})
        rosters = Rosters()
        rosters.put({key: set(case.cohorts[key].members) for _, key in flags.cohorts if key in case.cohorts})
        intake = Intake()
        for message in messages([*contents.snapshot(), *rosters.snapshot()], "epoch.1"):
            intake.take(WatchResponse.FromString(message))
        self.current = self.last = intake.snapshot

    async def begin(self, _waits: object, _seconds: float) -> None:
        """There from the beginning."""


@pytest.mark.parametrize("case", CASES, ids=[f"{case.theme}: {case.name}" for case in CASES])
def test_the_client_answers(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variant, value, reason, rule and error; a call only for a flag that reads a person's stored properties."""
    monkeypatch.setattr(burgee.flags, "time", lambda: case.now)
    flags = Flags(Remote(), Stream(case), None, 1.0)
    context = case.context
    who = context.distinct_id, None, context.groups, dict(context.properties), dict(context.group_properties)
    resolution = flags.resolve(case.flag_key, *who)

    if resolution is ASKED:
        read = {each.name for each in FlagSet(case.flags).mentions_of(case.flag_key) if each.owner == USER}
        assert context.distinct_id
        assert read - context.properties.keys()
        return
    expected = case.expected
    assert (resolution.variant, resolution.reason) == (expected.variant, expected.reason)
    assert resolution.value == expected.value
    assert type(resolution.value) is type(expected.value)
    assert (resolution.rule_id, resolution.error_code) == (expected.rule_id, expected.error_code)


def test_most_cases_need_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cases with a person's stored properties are few: else the test above would prove little."""
    asked = 0
    for case in CASES:
        monkeypatch.setattr(burgee.flags, "time", lambda case=case: case.now)
        context = case.context
        flags = Flags(Remote(), Stream(case), None, 1.0)
        who = context.distinct_id, None, context.groups, dict(context.properties), dict(context.group_properties)
        asked += flags.resolve(case.flag_key, *who) is ASKED
    assert 0 < asked < len(CASES) / 20
