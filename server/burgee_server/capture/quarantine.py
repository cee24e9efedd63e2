"""The ways out of quarantine: into the warehouse after all, or away for good. Both are in the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass

from burgee_server.ports.access import AccessStore, Authorship
from burgee_server.ports.clock import Clock
from burgee_server.ports.quarantine import QuarantinedEvent, QuarantineStore, Selection
from burgee_server.ports.warehouse import Refused, Warehouse

REPLAYED_EVENTS = 100
"""How many are loaded at a time: few enough to be in memory several times over, at 64 KB each."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of the events of a replay."""

    loaded: int
    refused: int


class Quarantine:
    """What an event was when it was acknowledged, it is when it is replayed: the same uuid, the same time.

    So an event counts once, however often it is replayed, and whether or not it was captured again meanwhile.
    """

    def __init__(self, store: QuarantineStore, warehouse: Warehouse, access: AccessStore, clock: Clock) -> None:
        self._store = store
        self._warehouse = warehouse
        self._access = access
        self._clock = clock

    async def replay(self, environment_id: int, selection: Selection, actor: str) -> Replay:
        """Load what the warehouse takes now; the rest stays, with the reason of this time. Raises Unavailable.

        What comes into quarantine meanwhile is left alone. What was loaded before a failure stays loaded.
        """
        loaded = refused = 0
        before: int | None = None
        try:
            while some := await self._replay_some(environment_id, selection, before):
                replay, before = some
                loaded, refused = loaded + replay.loaded, refused + replay.refused
        finally:
            if loaded or refused:
                detail = f"{loaded:,} loaded, {refused:,} refused again"
                await self._record(environment_id, "quarantine.replay", selection, actor, detail)
        return Replay(loaded, refused)

    async def purge(self, environment_id: int, selection: Selection, actor: str) -> int:
        """Forget events for good; return how many there were."""
        async with self._store.alone():
            purged = await self._store.remove(environment_id, selection)
        if purged:
            await self._record(environment_id, "quarantine.purge", selection, actor, f"{purged:,} purged")
        return purged

    async def _replay_some(
        self, environment_id: int, selection: Selection, before: int | None
    ) -> tuple[Replay, int] | None:
        """What became of the newest events before a quarantine_id, and the oldest id of those; None: none are left."""
        async with self._store.alone():
            events = await self._store.page(environment_id, selection, before, REPLAYED_EVENTS)
            if not events:
                return None
            reasons = await self._load(events)
            taken = frozenset(event.quarantine_id for event in events) - reasons.keys()
            if taken:
                await self._store.remove(environment_id, Selection(quarantine_ids=taken))
            await self._store.refuse(list(reasons.items()))
        return Replay(len(taken), len(reasons)), events[-1].quarantine_id

    async def _load(self, events: Sequence[QuarantinedEvent]) -> dict[int, str]:
        """Load events; the reasons of those that are refused, by quarantine_id."""
        payload = b"".join(event.payload for event in events)
        try:
            await self._warehouse.load(payload, again=True)
        except Refused as refusal:
            faults = await self._warehouse.faults(payload)
            if not faults:
                return {event.quarantine_id: str(refusal) for event in events}
            reasons = {events[index].quarantine_id: reason for index, reason in faults.items()}
            rest = [event for event in events if event.quarantine_id not in reasons]
            return reasons | (await self._load(rest) if rest else {})
        return {}

    async def _record(self, environment_id: int, action: str, selection: Selection, actor: str, detail: str) -> None:
        by = Authorship(actor, self._clock.now())
        await self._access.record(environment_id, action, _in_words(selection), by, detail)


def _in_words(selection: Selection) -> str:
    words = []
    if selection.quarantine_ids:
        words.append(f"{len(selection.quarantine_ids):,} chosen")
    if selection.reason:
        words.append(f"reason contains {selection.reason!r}")
    if selection.start:
        words.append(f"from {selection.start:%Y-%m-%dT%H:%M:%SZ}")
    if selection.end:
        words.append(f"until {selection.end:%Y-%m-%dT%H:%M:%SZ}")
    return "; ".join(words) or "all"
