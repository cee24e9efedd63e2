"""Flag checks: from memory, else from the server, else from the bootstrap file. They never raise."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import monotonic, time

from burgee.context import Asker, is_plain_id, plain_context
from burgee.evaluation.model import Context, ErrorCode, Json, Properties, Reason, Resolution
from burgee.flag_status import FlagState, FlagStatus
from burgee.remote import RemoteFlags, failure
from burgee.snapshot import NotCarried, Question, Snapshot
from burgee.stream import SnapshotStream
from burgee.v1 import flags_pb2
from burgee.waits import BLOCKING, SUSPENDING, Waits, now

SILENCE_SECONDS = 1.0
"""While the stream is down, a server that did not answer is left alone for so long: not every check should wait."""


class Flags:
    """What is in memory answers at once. A check takes `timeout` seconds at most; `stream` None asks each time."""

    def __init__(
        self, remote: RemoteFlags, stream: SnapshotStream | None, bootstrap: Snapshot | None, timeout: float
    ) -> None:
        self._remote = remote
        self.stream = stream
        self._bootstrap = bootstrap
        self._timeout = timeout

    def reset(self) -> None:
        """Begin anew, as in a forked child."""
        self._remote.reset()
        if self.stream is not None:
            self.stream.reset()

    def close(self) -> None:
        """Know nothing any more."""
        if self.stream is not None:
            self.stream.close()

    @property
    def status(self) -> FlagStatus:
        """How up to date memory is."""
        if self.stream is None:
            return FlagStatus(FlagState.READY, 0, "", {}, "")
        live, trouble = self.stream.current, self.stream.trouble
        known = live or self.stream.last or self._bootstrap
        if known is None:
            return FlagStatus(FlagState.NOT_READY, 0, "", {}, trouble)
        state = FlagState.READY if live else FlagState.STALE
        return FlagStatus(state, len(known.flags.flags), known.version, known.unread, "" if live else trouble)

    async def ready(self, waits: Waits, seconds: float) -> bool:
        """Wait until flags are in memory, at most so long. Whether they are, and as the server has them."""
        return self.stream is None or await self.stream.ready(waits, seconds)

    def resolve(
        self,
        flag_key: str,
        distinct_id: str,
        groups: Mapping[str, str | None] | None,
        group_keys: Mapping[str, str | None],
        properties: Properties | None,
        group_properties: Mapping[str, Properties] | None,
    ) -> Resolution:
        """What the flag gives; Reason.ERROR, and what went wrong, if that cannot be said. May block."""
        return self._from_memory(flag_key, distinct_id, groups, group_keys, properties, group_properties) or now(
            self._find_out(BLOCKING, flag_key, Asker(distinct_id, groups, group_keys, properties, group_properties))
        )

    async def resolve_soon(
        self,
        flag_key: str,
        distinct_id: str,
        groups: Mapping[str, str | None] | None,
        group_keys: Mapping[str, str | None],
        properties: Properties | None,
        group_properties: Mapping[str, Properties] | None,
    ) -> Resolution:
        """The same; suspends where `resolve` would block."""
        return self._from_memory(
            flag_key, distinct_id, groups, group_keys, properties, group_properties
        ) or await self._find_out(
            SUSPENDING, flag_key, Asker(distinct_id, groups, group_keys, properties, group_properties)
        )

    async def resolve_all(self, waits: Waits, asker: Asker) -> dict[str, Resolution]:
        """What every flag gives, by flag key; with the server away, what can be said without it."""
        if self.stream is None:
            return await self._remote.resolve_all(waits, asker)
        if (answers := self._all_from_memory(asker)) is not None:
            return answers
        began = monotonic()
        try:
            context = asker.context()
        except Exception:
            return await self._remote.resolve_all(waits, asker)  # which logs why that is no context, and asks nobody
        await self.stream.begin(waits, self._timeout / 2)
        live = self.stream.current is not None
        kept = self.stream.last
        found = {} if kept is None else _evaluate_all(kept, context)
        if kept is None or None in found.values():
            asked = await self._remote.resolve_all(waits, asker, self._left(began)) if self._may_ask() else {}
            if asked:
                return asked
        if kept is None and self._bootstrap is not None:
            found = _evaluate_all(self._bootstrap, context)
        known = {key: resolution for key, resolution in found.items() if resolution is not None}
        return known if live else {key: _stale(resolution) for key, resolution in known.items()}

    async def explain(self, waits: Waits, flag_key: str, asker: Asker) -> flags_pb2.ExplainResponse:
        """Why the flag gives what it gives, as the server says."""
        return await self._remote.explain(waits, flag_key, asker)

    def _from_memory(
        self,
        flag_key: str,
        distinct_id: str,
        groups: Mapping[str, str | None] | None,
        group_keys: Mapping[str, str | None],
        properties: Properties | None,
        group_properties: Mapping[str, Properties] | None,
    ) -> Resolution | None:
        """The way of nearly every check, as short as can be. None: it is not one of those."""
        stream = self.stream
        snapshot = None if stream is None else stream.current or stream.lost
        if snapshot is None:
            return None
        try:
            flag = snapshot.certain.get(flag_key) or snapshot.consider(flag_key)
            if flag is None:
                return None
            if groups is not None:
                group_keys = {**groups, **group_keys}
            question: Question | None = None
            if not properties and not group_properties and not flag.timed:
                question = (flag_key, distinct_id if flag.by_user else "", *group_keys.items())
                known = snapshot.answers.get(question)
                if known is not None and (flag.by_user or is_plain_id(distinct_id)):
                    return known
            context = plain_context(distinct_id, group_keys, properties, group_properties)
            if context is None:
                return None
            resolution = flag.decide(context, snapshot.stored, time())
            if snapshot.stale:
                resolution = _stale(resolution)
            if resolution.value.__class__ not in _UNSHARED:
                return _own(resolution)
            if question is not None:
                snapshot.answers.remember(question, resolution)
            return resolution
        except Exception:  # something hostile, which the other way has words for
            return None

    def _all_from_memory(self, asker: Asker) -> dict[str, Resolution] | None:
        """The same for all flags at once."""
        stream = self.stream
        snapshot = None if stream is None else stream.current or stream.lost
        if snapshot is None or snapshot.unsure:
            return None
        try:
            keys = {**asker.groups, **asker.group_keys} if asker.groups else asker.group_keys
            context = plain_context(asker.distinct_id, keys, asker.properties, asker.group_properties)
            if context is None:
                return None
            answers = snapshot.flags.evaluate_all(context, snapshot.profiles, time())
            if snapshot.stale:
                answers = [_stale(each) for each in answers]
            return {each.flag_key: each if each.value.__class__ in _UNSHARED else _own(each) for each in answers}
        except Exception:  # NotCarried, or something hostile: the other way knows what to do
            return None

    async def _find_out(self, waits: Waits, flag_key: str, asker: Asker) -> Resolution:
        if self.stream is None or not isinstance(flag_key, str):
            return await self._remote.resolve(waits, flag_key, asker)
        began = monotonic()
        try:
            context = asker.context()
        except Exception:
            return await self._remote.resolve(waits, flag_key, asker)  # which says why, and asks nobody
        await self.stream.begin(waits, self._timeout / 2)
        live = self.stream.current is not None
        kept = self.stream.last
        if kept is not None and (answer := _evaluate(kept, flag_key, context)) is not None:
            return answer if live else _stale(answer)
        if self._may_ask():
            asked = await self._remote.resolve(waits, flag_key, asker, self._left(began))
        else:
            asked = failure(flag_key, ErrorCode.PROVIDER_NOT_READY, "the server did not answer a moment ago")
        if asked.error_code not in _UNANSWERED:
            return asked
        if kept is not None:
            fault = kept.unread.get(flag_key)
            return asked if fault is None else failure(flag_key, ErrorCode.PARSE_ERROR, fault)
        if self._bootstrap is not None:
            answer = _evaluate(self._bootstrap, flag_key, context)
            if answer is not None and answer.reason is not Reason.ERROR:
                return _stale(answer)
        return asked

    def _may_ask(self) -> bool:
        live = self.stream is not None and self.stream.current is not None
        return live or not self._remote.silent_at or monotonic() - self._remote.silent_at >= SILENCE_SECONDS

    def _left(self, began: float) -> float:
        return max(self._timeout - (monotonic() - began), 0.001)


_UNSHARED = frozenset({bool, str, int, float, type(None)})
_UNANSWERED = frozenset({ErrorCode.PROVIDER_NOT_READY, ErrorCode.GENERAL})


def _own(resolution: Resolution) -> Resolution:
    """The caller's own copy: a flag's object or list, changed by one caller, would be changed for all."""
    if resolution.value.__class__ in _UNSHARED:
        return resolution
    return replace(resolution, value=_copied(resolution.value))


def _copied(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {name: _copied(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_copied(each) for each in value]
    return value


def _stale(resolution: Resolution) -> Resolution:
    return resolution if resolution.reason is Reason.ERROR else replace(resolution, reason=Reason.STALE)


def _evaluate(snapshot: Snapshot, flag_key: str, context: Context) -> Resolution | None:
    """What a flag gives; None if that depends on what only the server knows."""
    if flag_key in snapshot.unsure:
        return None
    try:
        return _own(snapshot.flags.evaluate(flag_key, context, snapshot.profiles, time()))
    except NotCarried:
        return None


def _evaluate_all(snapshot: Snapshot, context: Context) -> dict[str, Resolution | None]:
    """The same for every flag."""
    if not snapshot.unsure:
        try:
            given = snapshot.flags.evaluate_all(context, snapshot.profiles, time())
        except NotCarried:
            pass
        else:
            return {each.flag_key: each if each.value.__class__ in _UNSHARED else _own(each) for each in given}
    return {key: _evaluate(snapshot, key, context) for key in sorted({*snapshot.flags.listed, *snapshot.unread})}
