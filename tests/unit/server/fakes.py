"""A warehouse that refuses and fails when it is told to, and batches to give it."""

import time
from uuid import uuid4

from burgee_server.journal.v1.journal_pb2 import StoredBatch
from burgee_server.ports.warehouse import Refused
from tests.fixtures.until import until


def batch(*names, environment_id=1):
    """A serialized StoredBatch of events with these names, each another than all before."""
    return StoredBatch(
        events=[
            {"event": name.encode(), "environment_id": environment_id, "uuid": str(uuid4()).encode()} for name in names
        ]
    ).SerializeToString()


def names_of(payload):
    """The names of the events in a StoredBatch."""
    return [event.event.decode() for event in StoredBatch.FromString(payload).events]


class FakeWarehouse:
    """Keeps events as the real one does: what is there twice was loaded as if nobody had tried.

    Names in `refused` are at fault, and it can say so; those in `disliked` are refused for no reason that it could say.
    """

    def __init__(self):
        self.events = []
        self._uuids = set()
        self.refused = frozenset()
        self.disliked = frozenset()
        self.failures = 0
        self.lost_answers = 0
        self.loads = 0
        self.patient: list[bool] = []

    async def load(self, payload, *, again=False, patient=False):
        self._fail()
        self.loads += 1
        self.patient.append(patient)
        names = names_of(payload)
        if bad := (self.refused | self.disliked) & set(names):
            raise Refused("INCORRECT_DATA", f"cannot take {sorted(bad)}")
        for event in StoredBatch.FromString(payload).events:
            if not (again and event.uuid in self._uuids):
                self._uuids.add(event.uuid)
                self.events.append(event.event.decode())
        if self.lost_answers:
            self.lost_answers -= 1
            raise OSError("the answer was lost")

    async def faults(self, payload):
        self._fail()
        return {index: f"{name} is bad" for index, name in enumerate(names_of(payload)) if name in self.refused}

    async def reached(self, marks):
        self._fail()
        self.events += [f"({mark})" for mark in marks]

    def _fail(self):
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is away")


async def until_done(journal):
    """Wait until all that was acknowledged so far is in the warehouse or in quarantine."""
    acknowledged = time.time()

    async def done():
        return await journal.complete_until() > acknowledged

    await until(done)
