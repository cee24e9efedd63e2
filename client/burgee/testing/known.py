"""In place of stream and server: flags and stored properties, as the test says."""

from collections.abc import Iterable
from time import time
from types import MappingProxyType

from burgee.channel import Connection
from burgee.context import Asker
from burgee.evaluation import (
    Flag,
    FlagSet,
    FlagType,
    Json,
    ParentTypes,
    Profiles,
    Properties,
    Variant,
    violations,
    with_defaults,
)
from burgee.flags import Flags
from burgee.remote import RemoteFlags
from burgee.snapshot import Snapshot
from burgee.stream import SnapshotStream
from burgee.testing.kept import ProfileChange
from burgee.v1.flags_pb2 import ExplainResponse
from burgee.waits import Waits
from burgee.wire import explanation_to_proto

_NONE: Profiles = MappingProxyType({})
_NO_PARENTS: ParentTypes = MappingProxyType({})
_TYPES = {bool: FlagType.BOOLEAN, str: FlagType.STRING, int: FlagType.NUMBER, float: FlagType.NUMBER}


class KnownFlags(Flags):
    """Everything is in memory: all flags, and all that was ever stored."""

    def __init__(self, connection: Connection) -> None:
        self._memory = _Memory(connection)
        super().__init__(RemoteFlags(connection, 0), self._memory, None, 0)
        self._set = FlagSet(())
        self._stored: dict[tuple[str, str], Properties] = {}
        self._version = 0
        self._show(())

    def put(self, flags: Iterable[Flag], cohorts: Profiles = _NONE, parent_types: ParentTypes = _NO_PARENTS) -> None:
        """Put flags, members of cohorts, and the types that groups belong to, in place of those with the same keys.

        Raises ValueError for a flag that could not be saved.
        """
        put = [with_defaults(flag) for flag in flags]
        others = {**self._set.flags, **{flag.key: flag for flag in put}}
        for flag in put:
            for path, message in violations(flag, others):
                raise ValueError(f"{flag.key}: {path}: {message}")
        self._set = self._set.with_changes(put, parent_types={**self._set.parent_types, **parent_types})
        self._stored.update(cohorts)
        self._show(flag.key for flag in put)

    def remove(self, flag_key: str) -> None:
        """Take a flag out."""
        self._set = self._set.with_changes(removed=(flag_key,))
        self._show((flag_key,))

    def change(self, change: ProfileChange) -> None:
        """Store what the server would."""
        identity = (change.type, change.key)
        stored = {**change.set_once, **self._stored.get(identity, {}), **change.set}
        self._stored[identity] = {name: value for name, value in stored.items() if name not in change.unset}
        if change.parent is not None:
            parent_type, parent_key = change.parent
            self._stored[identity] = {**self._stored[identity], parent_type: parent_key}
            self._set = self._set.with_changes(parent_types={change.type: parent_type, **self._set.parent_types})
        self._show(())

    async def explain(self, waits: Waits, flag_key: str, asker: Asker) -> ExplainResponse:
        """As the server would."""
        try:
            context = asker.context()
        except Exception:
            return await super().explain(waits, flag_key, asker)  # which says why, and asks nobody
        return explanation_to_proto(self._set.explain(flag_key, context, self._stored, time()))

    def _show(self, changed: Iterable[str]) -> None:
        self._version += 1
        version = f"test.{self._version}"
        types, cohorts = self._set.mentioned_types, frozenset(key for _, key in self._set.cohorts)
        self._memory.show(Snapshot.of(self._set, version, self._stored, types, cohorts, changed=changed))


class _Memory(SnapshotStream):
    """A stream that is there already, and goes nowhere."""

    def open(self) -> None:
        """Nothing has to be done."""

    def show(self, snapshot: Snapshot) -> None:
        """Have it in force."""
        self._show(snapshot)


def same_for_all(flag_key: str, value: Json, variant: str) -> Flag:
    """A flag that gives everybody its one variant: `on`, `off` or `set`, unless named."""
    name = variant or ("on" if value is True else "off" if value is False else "set")
    type_ = _TYPES.get(type(value), FlagType.JSON)
    return Flag(flag_key, type_, (Variant(name, value),), name, enabled=True, version=1)
