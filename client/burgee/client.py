"""The client: what a service, a job or a notebook talks to Burgee with."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar

import grpc

from burgee.base import BaseClient
from burgee.context import Asker
from burgee.default import Value
from burgee.evaluation.model import Json, Properties, Resolution
from burgee.insights import (
    Answer,
    By,
    Funnel,
    FunnelQuery,
    Moment,
    Query,
    Series,
    Step,
    Trend,
    TrendQuery,
    Where,
)
from burgee.v1.flags_pb2 import ExplainResponse
from burgee.waits import BLOCKING, now

_Stub = TypeVar("_Stub")


class Client(BaseClient):
    """Captures events, keeps profiles, checks flags and asks about usage. Thread-safe; one for a process is enough.

    `target` is `host:port`, or `https://host[:port]` for TLS; `tls=True` means the same, and `credentials` stand in
    for the authorities that gRPC trusts. The API key comes from BURGEE_API_KEY unless it is given.

    Capturing, changing profiles and checking flags never raise. Events and profile changes wait in a queue of at most
    `queue_size` and go out in the background: a batch when it has `batch_size` events or is `flush_interval` seconds
    old. `on_drop` is told of each one that is lost; it runs in the thread that noticed, and has to be quick. With a
    directory `spool`, what is not sent survives the process, in at most `spool_bytes`, and is sent by the next one.

    Flags are kept in memory, from the first check on, by a stream of changes; checks are answered there, where that can
    be done without asking the server. While it is away they give what was last known; before anything is, what the file
    `bootstrap` says, which `burgee flags export` writes. With `local_evaluation=False` every check is a call. What a
    check gave is captured as `$feature_flag_called`, once in an hour, unless `exposures=False`.
    Timeouts are in seconds. In a forked child the client begins anew, with nothing in the queue.
    """

    def __enter__(self) -> Self:
        """The client itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close, with the default timeout."""
        self.close()

    def flush(self, timeout: float = 10.0) -> bool:
        """Wait until everything put in before this call is acknowledged, at most `timeout` seconds.

        False: time ran out, or something was dropped or rejected since the flush before; `stats` and `on_drop` tell.
        """
        return self._flush(timeout)

    def close(self, timeout: float = 5.0) -> int:
        """Flush for at most `timeout` seconds, then stop. Returns how many events and profile changes were given up."""
        return self._end(timeout)

    def ready(self, timeout: float = 5.0) -> bool:
        """Wait until flags are in memory, at most `timeout` seconds. Whether they are, and up to date.

        Nobody has to call this: the first check waits, too, for half of `flag_timeout`. It is for who would rather
        start late than begin with calls or defaults.
        """
        return now(self._flags.ready(BLOCKING, timeout))

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
        return self._enabled(resolution, default, distinct_id, groups, group_keys)

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
        return self._typed(resolution, None, distinct_id, groups, group_keys).variant or default

    def value(
        self,
        flag_key: str,
        distinct_id: str,
        default: Value,
        *,
        groups: Mapping[str, str | None] | None = None,
        properties: Properties | None = None,
        group_properties: Mapping[str, Properties] | None = None,
        **group_keys: str | None,
    ) -> Value:
        """What a flag gives, of the default's type; the default, if it cannot be said or is of another type.

        An int takes whole numbers only, a float takes every number.
        """
        resolution = self._flags.resolve(flag_key, distinct_id, groups, group_keys, properties, group_properties)
        given = self._typed(resolution, default, distinct_id, groups, group_keys)
        return given.value  # type: ignore[return-value]

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
        return self._typed(resolution, default, distinct_id, groups, group_keys)

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
        asker = Asker(distinct_id, groups, group_keys, properties, group_properties)
        return now(self._flags.resolve_all(BLOCKING, asker))

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
        asker = Asker(distinct_id, groups, group_keys, properties, group_properties)
        return now(self._flags.explain(BLOCKING, flag_key, asker))

    # Insights: asked of the server, raising QueryError

    def ask(self, query: Query[Answer]) -> Answer:
        """The answer to any question: `ask(burgee.FunnelQuery(steps=["signed_up", "report_created"]))`.

        `trend` and `funnel` are short for the two that are asked most. Raises QueryError.
        """
        return now(self._questions.ask(BLOCKING, query))

    def trend(
        self,
        event: str | Series | Sequence[Series] = "",
        *,
        measure: str = "total",
        property: str = "",  # noqa: A002 - the wire's name
        group_type: str = "",
        breakdown: By = None,
        interval: str = "day",
        start: Moment = "",
        end: Moment = "",
        time_zone: str = "",
        compare: str = "",
        properties_as_of: str = "now",
        where: Where = None,
        include_internal: bool = False,
    ) -> Trend:
        """How much, over time: `trend("report_created", measure="unique_groups", group_type="company")`.

        `event` is a name, a Series or several of them; `measure`, `property` and `group_type` go with a name, and mean
        what they mean in Series. `interval` is hour, day, week, month, quarter or year; the last 30 days, unless told
        otherwise. See TrendQuery. Raises QueryError.
        """
        if isinstance(event, str):
            event = Series(event, measure, property, group_type)
        return self.ask(
            TrendQuery(
                series=(event,) if isinstance(event, Series) else event,
                breakdown=breakdown,
                interval=interval,
                start=start,
                end=end,
                time_zone=time_zone,
                compare=compare,
                properties_as_of=properties_as_of,
                where=where,
                include_internal=include_internal,
            )
        )

    def funnel(
        self,
        steps: Sequence[str | Step],
        *,
        count_by: str = "user",
        window: timedelta | None = None,
        breakdown: By = None,
        start: Moment = "",
        end: Moment = "",
        time_zone: str = "",
        compare: str = "",
        properties_as_of: str = "now",
        where: Where = None,
        include_internal: bool = False,
    ) -> Funnel:
        """How many got from step to step: `funnel(["signed_up", "report_created"], count_by="company")`.

        `count_by` is `user` or a group type; `window`, from the first step to the last, is 14 days unless given.
        Raises QueryError.
        """
        return self.ask(
            FunnelQuery(
                steps=steps,
                count_by=count_by,
                window=window,
                breakdown=breakdown,
                start=start,
                end=end,
                time_zone=time_zone,
                compare=compare,
                properties_as_of=properties_as_of,
                where=where,
                include_internal=include_internal,
            )
        )

    def stub(self, kind: Callable[[grpc.Channel], _Stub]) -> _Stub:
        """A generated stub on the client's authenticated channel: `client.stub(FlagAdminServiceStub)`.

        Its calls raise grpc.RpcError.
        """
        return self._connection.stub(kind)
