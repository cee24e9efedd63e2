"""Creates and changes flags: nothing that cannot be evaluated is ever saved."""

from collections.abc import Sequence
from dataclasses import replace

from burgee.evaluation import Flag, violations, with_defaults
from burgee_server.errors import Invalid, Stale, Violation
from burgee_server.ports.access import Authorship
from burgee_server.ports.changes import Change, ChangeFeed, Kind
from burgee_server.ports.clock import Clock
from burgee_server.ports.flags import FlagStore, FlagVersion

MAX_NOTE = 2_000


class Lifecycle:
    """Every change is a new version, announced on the feed before it is answered."""

    def __init__(self, store: FlagStore, feed: ChangeFeed, clock: Clock) -> None:
        self._store = store
        self._feed = feed
        self._clock = clock

    async def create(self, environment_id: int, flag: Flag, actor: str, note: str) -> FlagVersion:
        """Keep a new flag. Raises Invalid naming every path at fault, AlreadyExists."""
        flag = await self._checked(environment_id, replace(flag, archived=False))
        version = await self._store.create(environment_id, flag, self._by(actor, note))
        await self._announce(environment_id, flag.key)
        return version

    async def update(
        self, environment_id: int, flag: Flag, expected_version: int, actor: str, note: str
    ) -> FlagVersion:
        """Replace a flag's configuration; `expected_version` 0 means whatever is current.

        Raises Invalid naming every path at fault, NotFound, Stale. An archived flag stays archived.
        """
        current = (await self._store.get(environment_id, flag.key)).flag
        if expected_version not in (0, current.version):
            raise Stale(f"flag {flag.key!r} is at version {current.version}, not {expected_version}: read it again")
        if flag.type is not current.type:
            raise Invalid.of("flag.type", f"is {current.type} and cannot change: code that reads the flag relies on it")
        flag = await self._checked(environment_id, replace(flag, archived=current.archived))
        version = await self._store.save(environment_id, flag, current.version, "flag.update", self._by(actor, note))
        await self._announce(environment_id, flag.key)
        return version

    async def archive(self, environment_id: int, flag_key: str, actor: str, note: str) -> FlagVersion:
        """Take a flag out of use. Raises NotFound. Archiving it twice changes nothing."""
        current = await self._store.get(environment_id, flag_key)
        if current.flag.archived:
            return current
        flag = replace(current.flag, archived=True)
        version = await self._store.save(
            environment_id, flag, current.flag.version, "flag.archive", self._by(actor, note)
        )
        await self._announce(environment_id, flag_key)
        return version

    async def get(self, environment_id: int, flag_key: str) -> FlagVersion:
        """A flag as it is. Raises NotFound."""
        return await self._store.get(environment_id, flag_key)

    async def page(
        self, environment_id: int, *, after: str, limit: int, include_archived: bool
    ) -> Sequence[FlagVersion]:
        """Flags by key."""
        return await self._store.page(environment_id, after=after, limit=limit, include_archived=include_archived)

    async def versions(
        self, environment_id: int, flag_key: str, *, before: int | None, limit: int
    ) -> Sequence[FlagVersion]:
        """Versions of a flag, newest first. Raises NotFound."""
        return await self._store.versions(environment_id, flag_key, before=before, limit=limit)

    async def _checked(self, environment_id: int, flag: Flag) -> Flag:
        """The flag, complete. Raises Invalid if it, or a flag that needs it, could not be evaluated."""
        flag = with_defaults(flag)
        flags = {other.key: other for other in await self._store.all(environment_id)} | {flag.key: flag}
        faults = [Violation(f"flag.{path}", reason) for path, reason in violations(flag, flags)]
        for other in flags.values():
            if other is not flag and any(needed.flag_key == flag.key for needed in other.prerequisites):
                faults += [
                    Violation("flag", f"flag {other.key!r} needs this one: {path}: {reason}")
                    for path, reason in violations(other, flags)
                ]
        if faults:
            raise Invalid(*faults)
        return flag

    async def _announce(self, environment_id: int, flag_key: str) -> None:
        await self._feed.publish(Change(Kind.FLAGS, environment_id, (flag_key,)))

    def _by(self, actor: str, note: str) -> Authorship:
        if len(note) > MAX_NOTE:
            raise Invalid.of("change_note", f"must be at most {MAX_NOTE:,} characters, got {len(note):,}")
        return Authorship(actor, self._clock.now(), note)
