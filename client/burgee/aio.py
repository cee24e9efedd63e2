"""The client for asyncio: the same promises, and whatever may wait suspends its task instead of blocking."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar

import grpc

from burgee.awaited import awaited
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
from burgee.waits import SUSPENDING

_Stub = TypeVar("_Stub")


class AsyncClient(BaseClient):
    """The twin of Client, with the same arguments: what may wait is awaited, what never waits is called as there.

    A check that is answered from memory does not suspend. Nothing here blocks the event loop, and nothing is bound to
    it: queue and stream live in threads of their own, so one client may serve several loops, and all of Client's
    promises hold, about threads and forks, too. A task that is cancelled cancels its call.
    """

    async def __aenter__(self) -> Self:
        """The client itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Close, with the default timeout."""
        await self.close()

    async def flush(self, timeout: float = 10.0) -> bool:
        """See Client.flush."""
        return await asyncio.to_thread(self._flush, timeout)

    async def close(self, timeout: float = 5.0) -> int:
        """See Client.close."""
        return await asyncio.to_thread(self._end, timeout)

    async def ready(self, timeout: float = 5.0) -> bool:
        """See Client.ready."""
        return await self._flags.ready(SUSPENDING, timeout)

    def stub(self, kind: Callable[[grpc.aio.Channel], _Stub]) -> _Stub:
        """A generated stub whose calls are awaited, and whose streams are read with `async for`; see Client.stub."""
        stub: _Stub = self._connection.stub(awaited(kind))
        return stub

    # Flags: from memory or asked of the server, never raising

    async def is_enabled(
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
        """See Client.is_enabled."""
        resolution = await self._flags.resolve_soon(
            flag_key, distinct_id, groups, group_keys, properties, group_properties
        )
        return self._enabled(resolution, default, distinct_id, groups, group_keys)

    async def variant(
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
        """See Client.variant."""
        resolution = await self._flags.resolve_soon(
            flag_key, distinct_id, groups, group_keys, properties, group_properties
        )
        return self._typed(resolution, None, distinct_id, groups, group_keys).variant or default

    async def value(
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
        """See Client.value."""
        resolution = await self._flags.resolve_soon(
            flag_key, distinct_id, groups, group_keys, properties, group_properties
        )
        given = self._typed(resolution, default, distinct_id, groups, group_keys)
        return given.value  # type: ignore[return-value]

    async def resolve(
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
        """See Client.resolve."""
        resolution = await self._flags.resolve_soon(
            flag_key, distinct_id, groups, group_keys, properties, group_properties
        )
        return self._typed(resolution, default, distinct_id, groups, group_keys)

    async def all_flags(
        self,
        distinct_id: str = "",
        *,
        groups: Mapping[str, str | None] | None = None,
        properties: Properties | None = None,
        group_properties: Mapping[str, Properties] | None = None,
        **group_keys: str | None,
    ) -> dict[str, Resolution]:
        """See Client.all_flags."""
        asker = Asker(distinct_id, groups, group_keys, properties, group_properties)
        return await self._flags.resolve_all(SUSPENDING, asker)

    async def explain(
        self,
        flag_key: str,
        distinct_id: str = "",
        *,
        groups: Mapping[str, str | None] | None = None,
        properties: Properties | None = None,
        group_properties: Mapping[str, Properties] | None = None,
        **group_keys: str | None,
    ) -> ExplainResponse:
        """See Client.explain."""
        asker = Asker(distinct_id, groups, group_keys, properties, group_properties)
        return await self._flags.explain(SUSPENDING, flag_key, asker)

    # Insights: asked of the server, raising QueryError

    async def ask(self, query: Query[Answer]) -> Answer:
        """See Client.ask."""
        return await self._questions.ask(SUSPENDING, query)

    async def trend(
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
        """See Client.trend."""
        if isinstance(event, str):
            event = Series(event, measure, property, group_type)
        return await self.ask(
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

    async def funnel(
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
        """See Client.funnel."""
        return await self.ask(
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
