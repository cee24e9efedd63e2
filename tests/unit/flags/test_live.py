"""What watchers are sent when much changes between two looks, or what changed cannot be read."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from burgee.evaluation import FlagSet, flag_from_document, with_defaults
from burgee.v1 import flags_pb2 as pb
from burgee_server.flags import live
from burgee_server.flags.contents import stored_part
from burgee_server.flags.live import Live
from burgee_server.ports.changes import Change, Kind


def flag(key, *conditions, version=1):
    """A flag that asks for these (attribute, operator, value)."""
    asked = [{"attribute": name, "operator": operator, "values": [value]} for name, operator, value in conditions]
    rule = {"conditions": asked, "distribution": {}}
    return with_defaults(flag_from_document({"key": key, "enabled": True, "version": version, "rules": [rule]}))


BETA, GOLD = ("company.key", "in_cohort", "beta"), ("company.key", "in_cohort", "gold")
PLAN, TEAM_PLAN = ("company.plan", "equals", "pro"), ("team.plan", "equals", "pro")


class World:
    """Flags, plans of groups and members of cohorts, where Live looks for them; `failures` reads fail first."""

    def __init__(self, *flags):
        self.flags = FlagSet(flags)
        self.plans = {"company": {}, "team": {}}
        self.cohorts = {"beta": set(), "gold": set()}
        self.most = 10
        self.failures = 0
        self.whole = 0

    def _read(self):
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is on holiday")

    async def get(self, _environment_id):
        return self.flags

    async def groups(self, group_type, _names):
        self._read()
        plans = self.plans[group_type]
        parts = {key: stored_part(group_type, key, {"plan": plan}) for key, plan in plans.items()}
        return parts if len(parts) <= self.most else None

    async def group(self, group_type, key, _names):
        self._read()
        return {"plan": self.plans[group_type][key]} if key in self.plans[group_type] else {}

    async def cohort(self, key):
        self._read()
        self.whole += 1
        return set(self.cohorts[key]) if len(self.cohorts[key]) <= self.most else None

    async def members(self, key, keys):
        self._read()
        return frozenset(self.cohorts[key].intersection(keys))


@asynccontextmanager
async def watched(world):
    """A Live, and a way to read the next update as one message; nothing is read before it has noticed everything."""
    here = Live(1, world, world)
    following = asyncio.create_task(here.run())
    stream = here.messages("", 5)

    async def following_update():
        async with asyncio.timeout(10):
            return pb.WatchResponse.FromString(await anext(stream))

    yield here, following_update
    following.cancel()


def cohort_changed(key, *members):
    """What the feed says of a cohort."""
    return Change(Kind.COHORT, 1, (key, "company", *members))


def members_of(message):
    """Who came and who left, by cohort."""
    return sorted((each.cohort_key, sorted(each.added), sorted(each.removed)) for each in message.cohorts)


async def test_what_is_carried_is_what_is_so_at_the_end_of_a_change():
    """A type and a cohort that grow too large in the very change that brings others are told once, as gone."""
    world = World(flag("f", PLAN, BETA))
    world.most = 1
    world.plans["company"] = {"acme": "pro"}
    async with watched(world) as (here, update):
        first = await update()
        world.plans["company"]["globex"] = "pro"
        world.cohorts["beta"] = {"acme", "globex"}
        world.flags = FlagSet([flag("f", PLAN, BETA), flag("g", TEAM_PLAN, GOLD)])
        here.notice(Change(Kind.PROFILE, 1, ("company", "globex")))
        here.notice(cohort_changed("beta", "acme", "globex"))
        here.notice(Change(Kind.FLAGS, 1, ("g",)))
        second = await update()

    assert (list(first.carried.group_types), list(first.carried_cohorts.cohort_keys)) == (["company"], ["beta"])
    assert (list(second.carried.group_types), list(second.carried_cohorts.cohort_keys)) == (["team"], ["gold"])


async def test_changes_between_two_looks_are_one():
    """Who came and left again is not told; of a cohort that was made anew, only what is different now."""
    world = World(flag("f", BETA, GOLD))
    world.cohorts = {"beta": {"acme"}, "gold": {"a", "b"}}
    async with watched(world) as (here, update):
        await update()
        world.cohorts["beta"] = {"initech"}
        here.notice(cohort_changed("beta", "initech"))
        here.notice(cohort_changed("beta", "umbrella"))
        here.notice(cohort_changed("beta", "umbrella", "acme"))
        world.cohorts["gold"] = {"b", "c"}
        here.notice(cohort_changed("gold", "c"))
        here.notice(cohort_changed("gold"))
        here.notice(cohort_changed("gold", "d"))
        second = await update()

    told = members_of(second)
    assert {key for key, _, _ in told} == {"beta", "gold"}
    by_key = {key: [(a, r) for each, a, r in told if each == key] for key in ("beta", "gold")}
    assert by_key == {"beta": [([], ["acme"]), (["initech"], [])], "gold": [([], ["a"]), (["c"], [])]}
    assert world.whole == 3  # two at the beginning, and gold


async def test_when_very_many_may_have_come_or_gone_all_are_read(monkeypatch: pytest.MonkeyPatch):
    """One look at the whole is cheaper than a look for each."""
    monkeypatch.setattr(live, "_MEMBERS_AT_ONCE", 3)
    world = World(flag("f", BETA))
    async with watched(world) as (here, update):
        await update()
        world.cohorts["beta"] = {"a", "b"}
        here.notice(cohort_changed("beta", *"abcd"))
        second = await update()

    assert members_of(second) == [("beta", ["a", "b"], [])]
    assert world.whole == 2


async def test_what_could_not_be_read_is_not_forgotten(monkeypatch: pytest.MonkeyPatch, caplog):
    """Of flags, groups and cohorts, together with what was noticed meanwhile."""
    monkeypatch.setattr(live, "_RETRY_SECONDS", 0.01)
    world = World(flag("f", PLAN, BETA))
    async with watched(world) as (here, update):
        await update()
        world.flags = FlagSet([flag("f", PLAN, BETA, version=2)])
        world.plans["company"]["acme"] = "pro"
        world.cohorts["beta"] = {"acme"}
        world.failures = 2
        here.notice(Change(Kind.FLAGS, 1, ("f",)))
        here.notice(Change(Kind.PROFILE, 1, ("company", "acme")))
        here.notice(cohort_changed("beta", "acme"))
        second = await update()

    assert [each.version for each in second.flags] == [2]
    assert [each.group_key for each in second.stored] == ["acme"]
    assert members_of(second) == [("beta", ["acme"], [])]
    assert "could not read" in caplog.text
