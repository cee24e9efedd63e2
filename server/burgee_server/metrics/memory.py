"""What a server has in memory of flags and of those who ask, and who watches."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from burgee.evaluation import FlagSet
from burgee_server.flags import Catalog, Watch
from burgee_server.metrics import table
from burgee_server.metrics.samples import Sample
from burgee_server.ports.access import AccessStore
from burgee_server.ports.changes import Change, Kind


class FlagsInMemory:
    """The flags of each environment by the names of project and environment, which never change and are remembered."""

    def __init__(self, catalog: Catalog, watch: Watch, access: AccessStore) -> None:
        self._catalog = catalog
        self._watch = watch
        self._access = access
        self._names: dict[int, tuple[str, str]] = {}
        self._versions: dict[int, tuple[FlagSet, int]] = {}

    async def samples(self) -> list[Sample]:
        """Flags, their version, and watchers."""
        kept, watchers = self._catalog.kept(), self._watch.watchers()
        await self._learn({*kept, *watchers})
        samples = []
        for environment_id, flags in kept.items():
            labels = self._names[environment_id]
            samples.append(Sample(table.FLAGS, len(flags.flags), labels))
            samples.append(Sample(table.SNAPSHOT_VERSION, self._version(environment_id, flags), labels))
        for environment_id, count in watchers.items():
            samples.append(Sample(table.WATCHERS, count, self._names[environment_id]))
        return samples

    def _version(self, environment_id: int, flags: FlagSet) -> int:
        """The sum of the versions, added up once for each set of flags: a scrape must not hold up flag checks."""
        known = self._versions.get(environment_id)
        if known is None or known[0] is not flags:
            known = self._versions[environment_id] = flags, sum(flag.version for flag in flags.flags.values())
        return known[1]

    async def _learn(self, environment_ids: set[int]) -> None:
        if environment_ids <= self._names.keys():
            return
        for project in await self._access.projects():
            for each in await self._access.environments(project.key):
                self._names[each.environment_id] = each.project_key, each.key


class Changes:
    """Counts what it hears on the change feed."""

    def __init__(self) -> None:
        self._heard: Counter[Kind] = Counter()

    def notice(self, change: Change) -> None:
        """Listen to the change feed with this."""
        self._heard[change.kind] += 1

    def samples(self) -> Iterator[Sample]:
        """How many changes there were of each kind."""
        for kind in Kind:
            yield Sample(table.CHANGES, self._heard[kind], (kind.value,))


def build_info(version: str) -> Iterator[Sample]:
    """Which Burgee this is."""
    yield Sample(table.BUILD, 1, (version,))


def caches(sizes: Mapping[str, tuple[Callable[[], int], int]]) -> Iterator[Sample]:
    """The size of each cache, and its limit."""
    for name, (size, limit) in sizes.items():
        yield Sample(table.CACHE_SIZE, size(), (name,))
        yield Sample(table.CACHE_LIMIT, limit, (name,))
