"""The client: what a service, a job or a notebook talks to Burgee with."""

import atexit
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID

import grpc

from burgee.bootstrap import read_bootstrap
from burgee.channel import Connection
from burgee.counts import Stats
from burgee.default import with_default
from burgee.evaluation.model import USER, Json, Properties, Reason, Resolution
from burgee.events import encode_event
from burgee.flags import Flags
from burgee.insights import Breakdown, Funnel, Moment, Series, Step, Trend, Where
from burgee.log import text, words
from burgee.losses import Dropped, Losses
from burgee.outbox import Limits, Outbox
from burgee.profiles import group_change, person_change
from burgee.queries import query_funnel, query_trend
from burgee.remote import Asker, RemoteFlags
from burgee.spool import LEAST_BYTES, Folder
from burgee.stream import SnapshotStream
from burgee.v1.flags_pb2 import ExplainResponse
from burgee.v1.insights_pb2_grpc import InsightServiceStub

_Stub = TypeVar("_Stub")
_Value = TypeVar("_Value", bool, int, float, str, Mapping[str, Json], Sequence[Json])

_AT_EXIT_SECONDS = 5.0


class Client:
    """Captures events, keeps profiles, checks flags and asks about usage. Thread-safe; one for a process is enough.

    `target` is `host:port`, or `https://host[:port]` for TLS; `tls=True` means the same, and `credentials` stand in
    for the system's certificates. The API key comes from BURGEE_API_KEY unless it is given.

    Capturing, changing profiles and checking flags never raise. Events and profile changes wait in a queue of at most
    `queue_size` and go out in the background: a batch when it has `batch_size` events or is `flush_interval` seconds
    old. `on_drop` is told of each one that is lost; it runs in the thread that noticed, and has to be quick. With a
    directory `spool`, what is not sent survives the process, in at most `spool_bytes`, and is sent by the next one.

    Flags are kept in memory, from the first check on, by a stream of changes; checks are answered there, where that can
    be done without asking the server. While it is away they give what was last known; before anything is, what the file
    `bootstrap` says, which `burgee flags export` writes. With `local_evaluation=False` every check is a call.
    Timeouts are in seconds. In a forked child the client begins anew, with nothing in the queue.
    """

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
        host = target.removeprefix("https://").removesuffix("/")
        if credentials is None and (tls or target.startswith("https://")):
            credentials = grpc.ssl_channel_credentials()
        if target.startswith("https://") and ":" not in host:
            host = f"{host}:443"
        key = os.environ.get("BURGEE_API_KEY", "") if api_key is None else api_key
        self._connection = Connection(host, key.strip(), credentials)
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
        self._query_timeout = query_timeout
        _open.add(self)

    def __repr__(self) -> str:
        """Where it goes, and never the key."""
        return f"<burgee.Client {self._connection.target}>"

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close, with the default timeout."""
        self.close()

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

    def group(
        self,
        group_type: str,
        group_key: str,
        set: Mapping[str, Any] | None = None,  # noqa: A002 - the wire's name
        *,
        set_once: Mapping[str, Any] | None = None,
        unset: Iterable[str] = (),
    ) -> None:
        """Change a group's properties, as `identify` does a person's: `group("company", "acme", {"plan": "pro"})`."""
        try:
            change = group_change(group_type, group_key, set, set_once, unset)
            refusal = self._outbox.put_change((group_type, group_key), change)
        except Exception as error:
            refusal = words(error)
        if refusal:
            self._losses.report(Dropped("group", f"{text(group_type)}:{text(group_key)}", refusal))

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until everything put in before this call is acknowledged, at most `timeout` seconds.

        False: time ran out, or something was dropped or rejected since the flush before; `stats` and `on_drop` tell.
        """
        return self._outbox.flush(timeout)

    def close(self, timeout: float = 5.0) -> int:
        """Flush for at most `timeout` seconds, then stop. Returns how many events and profile changes were given up."""
        _open.discard(self)
        unsent = self._outbox.close(timeout)
        self._flags.close()
        self._connection.close()
        return unsent

    @property
    def stats(self) -> Stats:
        """The counters as they are now."""
        return self._losses.counts.stats

    # Flags: from memory or asked of the server, never raising

    def is_enabled(
        self,
        flag_key: str,
        distinct_id: str = "",
        *,
        default: bool = False,
        groups: Mapping[str, str | None] | None = None,
        properties: Properties | None = None,
        group_properties: Mapping[str, Properties] | None = None,
        **group_keys: str | None,
    ) -> bool:
        """What a boolean flag gives: `is_enabled("new-reports", "ann", company="acme")`.

        The default, if the server does not answer in time, does not know the flag, or the flag is not boolean.
        """
        resolution = self._flags.resolve(flag_key, distinct_id, groups, group_keys, properties, group_properties)
        value = resolution.value
        return default is True if value.__class__ is not bool or resolution.reason is Reason.ERROR else value is True

    def variant(
        self,
        flag_key: str,
        distinct_id: str = "",
        *,
        default: str = "",
        groups: Mapping[str, str | None] | None = None,
        properties: Properties | None = None,
        group_properties: Mapping[str, Properties] | None = None,
        **group_keys: str | None,
    ) -> str:
        """The key of the variant that a flag of any type gives; the default, if it cannot be said."""
        resolution = self._flags.resolve(flag_key, distinct_id, groups, group_keys, properties, group_properties)
        return resolution.variant or default

    def value(
        self,
        flag_key: str,
        distinct_id: str,
        default: _Value,
        *,
        groups: Mapping[str, str | None] | None = None,
        properties: Properties | None = None,
        group_properties: Mapping[str, Properties] | None = None,
        **group_keys: str | None,
    ) -> _Value:
        """What a flag gives, of the default's type; the default, if it cannot be said or is of another type.

        An int takes whole numbers only, a float takes every number.
        """
        resolution = self._flags.resolve(flag_key, distinct_id, groups, group_keys, properties, group_properties)
        return with_default(resolution, default).value  # type: ignore[return-value]

    def resolve(
        self,
        flag_key: str,
        distinct_id: str = "",
        *,
        default: Json = None,
        groups: Mapping[str, str | None] | None = None,
        properties: Properties | None = None,
        group_properties: Mapping[str, Properties] | None = None,
        **group_keys: str | None,
    ) -> Resolution:
        """What a flag gives, with variant, reason, rule and version; with Reason.ERROR, what went wrong.

        With a default, the value is always of its type, as in `value`.
        """
        resolution = self._flags.resolve(flag_key, distinct_id, groups, group_keys, properties, group_properties)
        return with_default(resolution, default)

    def all_flags(
        self,
        distinct_id: str = "",
        *,
        groups: Mapping[str, str | None] | None = None,
        properties: Properties | None = None,
        group_properties: Mapping[str, Properties] | None = None,
        **group_keys: str | None,
    ) -> dict[str, Resolution]:
        """What every flag gives, by flag key; one of which that cannot be said is left out, and the log says why."""
        return self._flags.resolve_all(Asker(distinct_id, groups, group_keys, properties, group_properties))

    def explain(
        self,
        flag_key: str,
        distinct_id: str = "",
        *,
        groups: Mapping[str, str | None] | None = None,
        properties: Properties | None = None,
        group_properties: Mapping[str, Properties] | None = None,
        **group_keys: str | None,
    ) -> ExplainResponse:
        """Why a flag gives what it gives: every rule and condition, the bucket and the threshold, and a summary."""
        return self._flags.explain(flag_key, Asker(distinct_id, groups, group_keys, properties, group_properties))

    # Insights: asked of the server, raising QueryError

    def trend(
        self,
        event: str | Series | Sequence[Series] = "",
        *,
        measure: str = "total",
        property: str = "",  # noqa: A002 - the wire's name
        group_type: str = "",
        breakdown: str | Breakdown | None = None,
        interval: str = "day",
        start: Moment = "",
        end: Moment = "",
        time_zone: str = "",
        where: Where = None,
    ) -> Trend:
        """How much, over time: `trend("report_created", measure="unique_groups", group_type="company")`.

        `event` is a name, a Series or several of them; `measure`, `property` and `group_type` go with a name, and mean
        what they mean in Series. `interval` is hour, day, week or month; the last 30 days, unless told otherwise.
        Raises QueryError.
        """
        if isinstance(event, str):
            event = Series(event, measure, property, group_type)
        return query_trend(
            self.stub(InsightServiceStub),
            (event,) if isinstance(event, Series) else event,
            breakdown=breakdown,
            interval=interval,
            start=start,
            end=end,
            time_zone=time_zone,
            where=where,
            timeout=self._query_timeout,
        )

    def funnel(
        self,
        steps: Sequence[str | Step],
        *,
        count_by: str = "user",
        window: timedelta | None = None,
        breakdown: str | Breakdown | None = None,
        start: Moment = "",
        end: Moment = "",
        time_zone: str = "",
        where: Where = None,
    ) -> Funnel:
        """How many got from step to step: `funnel(["signed_up", "report_created"], count_by="company")`.

        `count_by` is `user` or a group type; `window`, from the first step to the last, is 14 days unless given.
        Raises QueryError.
        """
        return query_funnel(
            self.stub(InsightServiceStub),
            steps,
            count_by=count_by,
            window=window,
            breakdown=breakdown,
            start=start,
            end=end,
            time_zone=time_zone,
            where=where,
            timeout=self._query_timeout,
        )

    def stub(self, kind: Callable[[grpc.Channel], _Stub]) -> _Stub:
        """A generated stub on the client's authenticated channel: `client.stub(FlagAdminServiceStub)`.

        Its calls raise grpc.RpcError.
        """
        return self._connection.stub(kind)

    def _reset(self) -> None:
        self._connection.reset()
        self._losses.reset()
        self._outbox.reset()
        self._flags.reset()


_open: set[Client] = set()
"""Held until closed: what a forgotten client has not sent yet, nobody else will send."""


def _close_all() -> None:
    deadline = monotonic() + _AT_EXIT_SECONDS  # of all clients together
    for client in list(_open):
        client._outbox.hurry()  # so that all of them send meanwhile, and not only the one whose turn it is
    for client in list(_open):
        client.close(max(0.0, deadline - monotonic()))


def _reset_all() -> None:
    for client in list(_open):
        client._reset()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_reset_all)
