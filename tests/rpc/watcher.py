"""Somebody who watches."""

import asyncio
import json

from burgee.v1 import flags_pb2 as pb


class Watcher:
    """Reads a stream and keeps what a client would know."""

    def __init__(self, somebody, version="", heartbeat_seconds=0):
        self._call = somebody.flags.Watch(pb.WatchRequest(version=version, heartbeat_seconds=heartbeat_seconds))
        self.version = ""
        self.snapshots = 0
        self.flags = {}
        self.stored = {}
        self.carried = None
        self.cohorts = {}
        self.sizes = []

    async def next(self):
        """Read up to the next message with a version; return what came, as one message."""
        change = pb.WatchResponse()
        async with asyncio.timeout(10):
            while not change.version:
                message = await self._call.read()
                if not message:
                    await self._call  # raises what ended it
                self.sizes.append(message.ByteSize())
                change.MergeFrom(message)
        self.version = change.version
        if change.snapshot:
            self.snapshots += 1
            self.flags, self.stored, self.carried, self.cohorts = {}, {}, None, {}
        self.flags |= {flag.key: flag for flag in change.flags}
        for group in change.stored:
            self.stored[group.group_type, group.group_key] = json.loads(group.properties_json)
        if change.HasField("carried"):
            self.carried = list(change.carried.group_types)
            self.stored = {name: stored for name, stored in self.stored.items() if name[0] in self.carried}
        for each in change.cohorts:
            known = self.cohorts.setdefault(each.cohort_key, set())
            assert not known.intersection(each.added)
            assert known.issuperset(each.removed)
            self.cohorts[each.cohort_key] = known.union(each.added).difference(each.removed)
        if change.HasField("carried_cohorts"):
            carried = change.carried_cohorts.cohort_keys
            self.cohorts = {key: self.cohorts.get(key, set()) for key in carried}
        return change

    async def until(self, condition):
        """Read until it holds."""
        while not condition(self):
            await self.next()

    def cancel(self):
        """Go away."""
        self._call.cancel()
