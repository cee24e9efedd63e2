"""What Client and AsyncClient have in common: how they are made, and all that never waits."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc

from burgee import lifetime
from burgee.bootstrap import read_bootstrap
from burgee.carrier import Carrier
from burgee.channel import Connection
from burgee.counts import Stats
from burgee.default import with_default
from burgee.evaluation.model import USER, Json, Reason, Resolution
from burgee.events import encode_event
from burgee.exposures import Exposures
from burgee.flag_status import FlagStatus
from burgee.flags import Flags
from burgee.log import text, words
from burgee.losses import Dropped, Losses
from burgee.outbox import Limits, Outbox
from burgee.profiles import alias_change, group_change, person_change
from burgee.queries import Questions
from burgee.remote import RemoteFlags
from burgee.spool import LEAST_BYTES, Folder
from burgee.stream import SnapshotStream
from burgee.target import read_target


class BaseClient:
    """See Client, which is what there is to know."""

    _outbox: Carrier
    _flags: Flags
    _exposures: Exposures | None
    _questions: Questions

    def __init__(
        self,
        target: str = "localhost:4750",
        api_key: str | None = None,
        *,
        tls: bool = False,
        credentials: grpc.ChannelCredentials | None = None,
        flag_timeout: float = 1.0,
        local_evaluation: bool = True,
        bootstrap: str | os.PathLike[str] | None = None,
        exposures: bool = True,
        query_timeout: float = 60.0,
        queue_size: int = 100_000,
        batch_size: int = 1_000,
        flush_interval: float = 0.5,
        on_drop: Callable[[Dropped], None] | None = None,
        spool: str | os.PathLike[str] | None = None,
        spool_bytes: int = 1 << 30,
    ) -> None:
        if not 0 < batch_size <= 10_000:
            raise ValueError("batch_size: 1 to 10,000, which is what the server takes")
        if spool_bytes < LEAST_BYTES:
            raise ValueError(f"spool_bytes: at least {LEAST_BYTES:,}, which is some batches")
        if bootstrap is not None and not local_evaluation:
            raise ValueError("bootstrap: flags from a file are evaluated here; leave local_evaluation on")
        key = os.environ.get("BURGEE_API_KEY", "") if api_key is None else api_key
        self._connection = Connection(read_target(target, tls, credentials), key.strip())
        self._losses = Losses(on_drop)
        self._outbox = Outbox(
            self._connection,
            self._losses,
            Limits(queue_size, batch_size, flush_interval),
            None if spool is None else Folder(Path(spool), key.strip(), spool_bytes),
        )
        self._flags = Flags(
            RemoteFlags(self._connection, flag_timeout),
            SnapshotStream(self._connection) if local_evaluation else None,
            None if bootstrap is None else read_bootstrap(bootstrap),
            flag_timeout,
        )
        counts = self._losses.counts
        self._exposures = (
            Exposures(self._outbox.put_event, lambda: counts.queued < queue_size / 2, self._losses)
            if exposures
            else None
        )
        self._questions = Questions(self._connection, query_timeout)
        lifetime.remember(self)

    def __repr__(self) -> str:
        """Where it goes, and never the key."""
        return f"<burgee.{type(self).__name__} {self._connection.target.address}>"

    # Events and profiles: queued, sent in the background

    def capture(
        self,
        event: str,
        distinct_id: str,
        properties: Mapping[str, Any] | None = None,
        *,
        groups: Mapping[str, str | None] | None = None,
        timestamp: datetime | float | None = None,
        uuid: str | UUID | None = None,
        **group_keys: str | None,
    ) -> None:
        """Somebody did something, on behalf of these groups: `capture("report_created", "ann", company="acme")`.

        Never raises and never waits: what cannot be sent goes to `on_drop`. Properties are read before this returns.
        `timestamp` is a datetime with a time zone, or Unix seconds; now, unless given. A group key of None is no group.
        """
        try:
            named = {**groups, **group_keys} if groups else group_keys
            refusal = self._outbox.put_event(encode_event(event, distinct_id, properties, named, timestamp, uuid))
        except Exception as error:
            refusal = words(error)
        if refusal:
            self._losses.report(Dropped("event", text(event), refusal))

    def identify(
        self,
        distinct_id: str,
        set: Mapping[str, Any] | None = None,  # noqa: A002 - the wire's name
        *,
        set_once: Mapping[str, Any] | None = None,
        unset: Iterable[str] = (),
    ) -> None:
        """Change a person's properties: overwrite, fill what is missing, remove; in that order.

        Never raises and never waits. Changes of one person arrive in the order in which they were made.
        """
        try:
            refusal = self._outbox.put_change((USER, distinct_id), person_change(distinct_id, set, set_once, unset))
        except Exception as error:
            refusal = words(error)
        if refusal:
            self._losses.report(Dropped("person", text(distinct_id), refusal))

    def alias(self, distinct_id: str, alias: str) -> None:
        """Say that two ids are one person, for good: `alias("ann", "anonymous-17")`, once somebody has signed in.

        Questions count them as one, and each finds the properties of both; of two values, those of `distinct_id` stay.
        Never raises and never waits.
        """
        try:
            refusal = self._outbox.put_change((USER, distinct_id), alias_change(distinct_id, alias))
        except Exception as error:
            refusal = words(error)
        if refusal:
            self._losses.report(Dropped("person", text(distinct_id), refusal))

    def group(
        self,
        group_type: str,
        group_key: str,
        set: Mapping[str, Any] | None = None,  # noqa: A002 - the wire's name
        *,
        set_once: Mapping[str, Any] | None = None,
        unset: Iterable[str] = (),
        parent: tuple[str, str] | None = None,
    ) -> None:
        """Change a group's properties, as `identify` does a person's: `group("company", "acme", {"plan": "pro"})`.

        `parent` is the type and key of the group that it belongs to from now on: `parent=("company", "acme")`.
        """
        try:
            change = group_change(group_type, group_key, set, set_once, unset, parent)
            refusal = self._outbox.put_change((group_type, group_key), change)
        except Exception as error:
            refusal = words(error)
        if refusal:
            self._losses.report(Dropped("group", f"{text(group_type)}:{text(group_key)}", refusal))

    @property
    def stats(self) -> Stats:
        """The counters as they are now."""
        stats = self._losses.counts.stats
        noted = self._exposures.waiting if self._exposures is not None else 0
        return replace(stats, queued=stats.queued + noted)

    # Flags

    @property
    def flag_status(self) -> FlagStatus:
        """Whether the flags in memory are those of the server, which of them cannot be read here, and what is wrong."""
        return self._flags.status

    def on_flags(self, listener: Callable[[frozenset[str]], None]) -> Callable[[], None]:
        """Have a function called with the keys of the flags that changed; what is returned ends that.

        Also called, without keys, when the stream of changes came up, was lost or could not be opened; `flag_status`
        says which. It runs in the thread that keeps flags up to date, and has to be quick. Changes of stored
        properties are not told. Opens the stream, without waiting.
        """
        stream = self._flags.stream
        if stream is None:
            raise ValueError("on_flags: without local_evaluation no flags are kept whose changes could be told")
        listeners = stream.listeners
        listeners.append(listener)
        stream.open()

        def stop() -> None:
            if listener in listeners:
                listeners.remove(listener)

        return stop

    # What the checks of both clients, and the OpenFeature provider's, do with what flags give

    def _enabled(
        self,
        resolution: Resolution,
        default: bool,
        distinct_id: str,
        groups: Mapping[str, str | None] | None,
        group_keys: Mapping[str, str | None],
    ) -> bool:
        value = resolution.value
        if value.__class__ is not bool or resolution.reason is Reason.ERROR:
            return default is True
        if self._exposures is not None:
            self._exposures.note(resolution, distinct_id, groups, group_keys)
        return value is True

    def _typed(
        self,
        resolution: Resolution,
        default: Json,
        distinct_id: str,
        groups: Mapping[str, str | None] | None,
        group_keys: Mapping[str, str | None],
    ) -> Resolution:
        given = with_default(resolution, default)
        if self._exposures is not None and given.reason is not Reason.ERROR:
            self._exposures.note(given, distinct_id, groups, group_keys)
        return given

    # Its life

    def _flush(self, timeout: float) -> bool:
        if self._exposures is not None:
            self._exposures.drain()
        return self._outbox.flush(timeout)

    def _hurry(self) -> None:
        if self._exposures is not None:
            self._exposures.drain()
        self._outbox.hurry()

    def _end(self, timeout: float) -> int:
        lifetime.forget(self)
        if self._exposures is not None:
            self._exposures.close()
        unsent = self._outbox.close(timeout)
        self._flags.close()
        self._connection.close()
        return unsent

    def _halt(self) -> None:
        self._connection.halt()
        if self._flags.stream is not None:
            self._flags.stream.halt()

    def _is_still(self, seconds: float) -> bool:
        return self._connection.is_still(seconds)

    def _resume(self) -> None:
        if self._flags.stream is not None:
            self._flags.stream.resume()
        self._connection.resume()

    def _reset(self) -> None:
        self._connection.reset()
        self._losses.reset()
        self._outbox.reset()
        if self._exposures is not None:
            self._exposures.reset()
        self._flags.reset()
