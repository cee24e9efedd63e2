"""What a disk may hold after a power loss: everything that was synced, and any part of what was not.

Modelled: writes, truncations, creations and deletions since the last sync of their file or directory are there or not,
in any combination; a write may be there in part, cut at a sector; names come back in the order in which they were made.
Not modelled: disks that lie about a sync, sectors of which only a part arrives, bits that flip, and neighbours of a
write that change (SQLite's "powersafe overwrite", which every disk of the last decades keeps).
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.faults.recorder import Step

SECTOR = 512


@dataclass(slots=True)
class _File:
    synced: bytes = b""
    pending: list[Step] = field(default_factory=list)


class Disk:
    """A directory on a disk, step by step. `files` are there from the start, synced."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._names = {name: _File(content) for name, content in files.items()}
        self._synced_names = dict(self._names)
        self._pending_names: list[tuple[str, _File | None]] = []

    def apply(self, step: Step) -> None:
        """One more step is done."""
        match step.done:
            case "create":
                self._name(step.file, _File())
            case "delete":
                self._name(step.file, None)
            case "write" | "truncate":
                self._names[step.file].pending.append(step)
            case "sync":
                file = self._names[step.file]
                file.synced, file.pending = _content(file.synced, file.pending), []
            case "sync directory":
                self._synced_names, self._pending_names = dict(self._names), []

    def after_power_loss(self, chance: random.Random) -> Iterator[tuple[str, dict[str, bytes]]]:
        """What may be there when the power comes back, each with its name: the two extremes, then others for ever."""
        yield "only what was synced", self._survivors({}, 0)
        files = {id(file): file for file in (*self._names.values(), *self._synced_names.values())}
        everything = {key: list(file.pending) for key, file in files.items()}
        yield "everything", self._survivors(everything, len(self._pending_names))
        while True:
            names = chance.randint(0, len(self._pending_names))
            if chance.random() < 0.5:
                some = {key: _in_order(writes, chance) for key, writes in everything.items()}
                yield "the first writes of each file", self._survivors(some, names)
            else:
                some = {key: _in_any_order(writes, chance) for key, writes in everything.items()}
                yield "some writes", self._survivors(some, names)

    def _name(self, name: str, file: _File | None) -> None:
        self._pending_names.append((name, file))
        self._names.pop(name, None)
        if file is not None:
            self._names[name] = file

    def _survivors(self, writes: Mapping[int, Sequence[Step]], names: int) -> dict[str, bytes]:
        found: dict[str, _File | None] = {**self._synced_names, **dict(self._pending_names[:names])}
        return {
            name: _content(file.synced, writes.get(id(file), ())) for name, file in found.items() if file is not None
        }


def _in_order(writes: Sequence[Step], chance: random.Random) -> list[Step]:
    kept = list(writes[: chance.randint(0, len(writes))])
    return [*kept[:-1], _torn(kept[-1], chance)] if kept else kept


def _in_any_order(writes: Sequence[Step], chance: random.Random) -> list[Step]:
    share = chance.random()
    return [_torn(write, chance) if chance.random() < 0.2 else write for write in writes if chance.random() < share]


def _torn(write: Step, chance: random.Random) -> Step:
    """A write of which only the sectors up to one arrived."""
    sectors = (write.offset + len(write.data)) // SECTOR - write.offset // SECTOR
    cut = (write.offset // SECTOR + chance.randint(0, sectors)) * SECTOR - write.offset
    return Step(write.done, write.file, write.offset, write.data[: max(cut, 0)]) if write.data else write


def _content(synced: bytes, writes: Sequence[Step]) -> bytes:
    if not writes:
        return synced
    content = bytearray(synced)
    for write in writes:
        end = write.offset + len(write.data)
        if write.done == "truncate":
            del content[write.offset :]
        if len(content) < end:
            content.extend(bytes(end - len(content)))
        content[write.offset : end] = write.data
    return bytes(content)
