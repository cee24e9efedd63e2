"""What waits in the journal, what reaches the warehouse, and what the warehouse is asked."""

from collections.abc import Iterator, Mapping

from burgee_server.capture import Loader
from burgee_server.meters import Work
from burgee_server.metrics import table
from burgee_server.metrics.samples import Sample
from burgee_server.ports.clock import Clock
from burgee_server.ports.journal import Backlog, Held, Journal
from burgee_server.ports.quarantine import QuarantineStore


async def backlog(journal: Journal, clock: Clock) -> list[Sample]:
    """What waits."""
    found = await journal.backlog()
    return [
        Sample(table.JOURNAL_BATCHES, found.batches),
        Sample(table.JOURNAL_EVENTS, found.events),
        Sample(table.JOURNAL_BYTES, found.bytes),
        Sample(table.JOURNAL_AGE, _age(found, clock)),
        Sample(table.JOURNAL_KEPT, found.kept_bytes),
        Sample(table.JOURNAL_LIMIT, found.max_bytes),
    ]


async def holding(held: Held | None, clock: Clock) -> list[Sample]:
    """What this node has acknowledged by itself, where it does so."""
    if held is None:
        return []
    found = await held.holding()
    return [
        Sample(table.JOURNAL_AWAY, held.away),
        Sample(table.HELD_EVENTS, found.events),
        Sample(table.HELD_BYTES, found.kept_bytes),
        Sample(table.HELD_AGE, _age(found, clock)),
        Sample(table.HANDED_OVER, held.handed_over),
    ]


def _age(found: Backlog, clock: Clock) -> float:
    return 0.0 if found.oldest_at is None else max(clock.unix_seconds() - found.oldest_at, 0.0)


async def refused(quarantine: QuarantineStore) -> list[Sample]:
    """What the warehouse has refused."""
    found = await quarantine.held()
    return [Sample(table.ASIDE_EVENTS, found.aside), Sample(table.QUARANTINED_EVENTS, found.quarantined)]


def loaded(loader: Loader) -> Iterator[Sample]:
    """What the loader has carried."""
    yield Sample(table.LOADER_EVENTS, loader.work.amounts["events"])
    yield Sample(table.LOADER_BYTES, loader.work.amounts["bytes"])
    yield Sample(table.LOADER_SECONDS, loader.work.timings)
    for error, count in loader.work.failures.items():
        yield Sample(table.LOADER_FAILURES, count, (error,))


def asked(works: Mapping[str, Work]) -> Iterator[Sample]:
    """What the warehouse did, by kind of work."""
    for name, work in works.items():
        yield Sample(table.WAREHOUSE_SECONDS, work.timings, (name,))
        yield Sample(table.WAREHOUSE_RUNNING, work.running, (name,))
        yield Sample(table.WAREHOUSE_ROWS, work.amounts["rows"], (name,))
        for error, count in work.failures.items():
            yield Sample(table.WAREHOUSE_FAILURES, count, (name, error))
