"""Flag checks: from memory, else from the server, else from the bootstrap file. They never raise."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import monotonic, time

from burgee.context import asked_context, plain_context
from burgee.evaluation.model import Context, ErrorCode, Json, Properties, Reason, Resolution
from burgee.remote import Asker, RemoteFlags, failure
from burgee.snapshot import NotCarried, Snapshot
from burgee.stream import SnapshotStream
from burgee.v1 import flags_pb2

SILENCE_SECONDS = 1.0
"""While the stream is down, a server that did not answer is left alone for so long: not every check should wait."""


class Flags:
    """What is in memory answers at once. A check takes `timeout` seconds at most; `stream` None asks each time."""

    def __init__(
        self, remote: RemoteFlags, stream: SnapshotStream | None, bootstrap: Snapshot | None, timeout: float
    ) -> None:
        self._remote = remote
        self._stream = stream
        self._bootstrap = bootstrap
        self._timeout = timeout

    def reset(self) -> None:
        """Begin anew, as in a forked child."""
        self._remote.reset()
        if self._stream is not None:
            self._stream.reset()

    def close(self) -> None:
        """Know nothing any more."""
        if self._stream is not None:
            self._stream.close()

    def resolve(
        self,
        flag_key: str,
        distinct_id: str,
        groups: Mapping[str, str | None] | None,
        group_keys: Mapping[str, str | None],
        properties: Properties | None,
        group_properties: Mapping[str, Properties] | None,
    ) -> Resolution:
        """What the flag gives; Reason.ERROR, and what went wrong, if that cannot be said."""
        stream = self._stream
        if stream is not None:
            # The way of nearly every check, written out: what it does takes less time than a few calls would.
            snapshot = stream.current
            try:
                if snapshot is not None and (decide := snapshot.certain.get(flag_key) or snapshot.consider(flag_key)):
                    keys = {**groups, **group_keys} if groups else group_keys
                    context = plain_context(distinct_id, keys, properties, group_properties)
                    if context is not None:
                        resolution = decide(context, snapshot.stored, time())
                        return resolution if resolution.value.__class__ in _UNSHARED else _own(resolution)
            except Exception:  # noqa: S110 - something hostile, which the other way has words for
                pass
        return self._resolve(flag_key, Asker(distinct_id, groups, group_keys, properties, group_properties))

    def resolve_all(self, asker: Asker) -> dict[str, Resolution]:
        """What every flag gives, by flag key; with the server away, what can be said without it."""
        if self._stream is None:
            return self._remote.resolve_all(asker)
        began = monotonic()
        try:
            context = asked_context(asker)
        except Exception:
            return self._remote.resolve_all(asker)  # which logs why that is no context, and asks nobody
        self._stream.start(self._timeout / 2)
        live = self._stream.current is not None
        kept = self._stream.last
        answers = {} if kept is None else _evaluate_all(kept, context)
        if kept is None or None in answers.values():
            asked = self._remote.resolve_all(asker, self._left(began)) if self._may_ask() else {}
            if asked:
                return asked
        if kept is None and self._bootstrap is not None:
            answers = _evaluate_all(self._bootstrap, context)
        known = {key: resolution for key, resolution in answers.items() if resolution is not None}
        return known if live else {key: _stale(resolution) for key, resolution in known.items()}

    def explain(self, flag_key: str, asker: Asker) -> flags_pb2.ExplainResponse:
        """Why the flag gives what it gives, as the server says."""
        return self._remote.explain(flag_key, asker)

    def _resolve(self, flag_key: str, asker: Asker) -> Resolution:
        if self._stream is None or not isinstance(flag_key, str):
            return self._remote.resolve(flag_key, asker)
        began = monotonic()
        try:
            context = asked_context(asker)
        except Exception:
            return self._remote.resolve(flag_key, asker)  # which says why that is no context, and asks nobody
        self._stream.start(self._timeout / 2)
        live = self._stream.current is not None
        kept = self._stream.last
        if kept is not None and (answer := _evaluate(kept, flag_key, context)) is not None:
            return answer if live else _stale(answer)
        if self._may_ask():
            asked = self._remote.resolve(flag_key, asker, self._left(began))
        else:
            asked = failure(flag_key, ErrorCode.PROVIDER_NOT_READY, "the server did not answer a moment ago")
        if kept is None and self._bootstrap is not None and asked.error_code in _UNANSWERED:
            answer = _evaluate(self._bootstrap, flag_key, context)
            if answer is not None and answer.reason is not Reason.ERROR:
                return _stale(answer)
        return asked

    def _may_ask(self) -> bool:
        live = self._stream is not None and self._stream.current is not None
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
    try:
        return _own(snapshot.flags.evaluate(flag_key, context, snapshot.profiles, time()))
    except NotCarried:
        return None


def _evaluate_all(snapshot: Snapshot, context: Context) -> dict[str, Resolution | None]:
    """The same for every flag."""
    try:
        given = snapshot.flags.evaluate_all(context, snapshot.profiles, time())
    except NotCarried:
        return {key: _evaluate(snapshot, key, context) for key in snapshot.flags.listed}
    return {each.flag_key: each if each.value.__class__ in _UNSHARED else _own(each) for each in given}
