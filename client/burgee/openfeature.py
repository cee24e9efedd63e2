"""The OpenFeature provider; needs the extra `openfeature`, and nothing else here does."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import ErrorCode, ProviderNotReadyError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata
from openfeature.track import TrackingEventDetails

from burgee.aio import AsyncClient
from burgee.client import Client
from burgee.evaluation.model import Json, Resolution
from burgee.flag_status import FlagState
from burgee.waits import BLOCKING, now

__all__ = ["BurgeeProvider"]

_Value = TypeVar("_Value")
_Object = Sequence[FlagValueType] | Mapping[str, FlagValueType]


class BurgeeProvider(AbstractProvider):
    """Checks flags through a client, of either kind: `api.set_provider(BurgeeProvider(burgee.Client(…)))`.

    In the evaluation context the targeting key is the distinct_id; the attribute `groups` maps group types to group
    keys, `group_properties` maps group types to properties; all other attributes are properties of the user. The
    resolution's version and rule id are in the flag metadata, as `version` and `rule_id`.

    `ready_timeout` is how many seconds the provider may take to have flags in memory when it is set; it is an error if
    it has none then, and no bootstrap file. The client stays the caller's: shutting down the provider leaves it open.
    """

    def __init__(self, client: Client | AsyncClient, *, ready_timeout: float = 5.0) -> None:
        super().__init__()
        self._client = client
        self._ready_timeout = ready_timeout
        self._told: FlagState | None = None
        self._stop: Callable[[], None] | None = None

    def get_metadata(self) -> Metadata:
        """The provider's name."""
        return Metadata("burgee")

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        """Wait until flags are in memory. Raises ProviderNotReadyError; the provider is ready when they come later."""
        flags = self._client._flags
        if flags.stream is not None and self._stop is None:
            self._stop = self._client.on_flags(self._tell)
        is_ready = now(flags.ready(BLOCKING, self._ready_timeout))
        status = self._client.flag_status
        if not is_ready and status.state is FlagState.NOT_READY:
            self._told = FlagState.NOT_READY
            raise ProviderNotReadyError(f"no flags after {self._ready_timeout} s: {status.trouble or 'no answer'}")
        self._told = FlagState.READY

    def shutdown(self) -> None:
        """Tell of no more events."""
        if self._stop is not None:
            self._stop()
        self._stop = self._told = None

    def track(
        self,
        tracking_event_name: str,
        evaluation_context: EvaluationContext | None = None,
        tracking_event_details: TrackingEventDetails | None = None,
    ) -> None:
        """Capture an event of the targeting key, on behalf of the groups, with the details' attributes and `value`."""
        distinct_id, groups, _properties, _group_properties = _who(evaluation_context)
        properties: dict[str, Any] = {}
        if tracking_event_details is not None:
            properties.update(tracking_event_details.attributes)
            if tracking_event_details.value is not None:
                properties["value"] = tracking_event_details.value
        self._client.capture(tracking_event_name, distinct_id, properties, groups=groups)

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        """See AbstractProvider."""
        return self._resolve(flag_key, False, default_value, evaluation_context)

    async def resolve_boolean_details_async(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        """See AbstractProvider."""
        return await self._resolve_soon(flag_key, False, default_value, evaluation_context)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """See AbstractProvider."""
        return self._resolve(flag_key, "", default_value, evaluation_context)

    async def resolve_string_details_async(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """See AbstractProvider."""
        return await self._resolve_soon(flag_key, "", default_value, evaluation_context)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """See AbstractProvider. Whole numbers only."""
        return self._resolve(flag_key, 0, default_value, evaluation_context)

    async def resolve_integer_details_async(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """See AbstractProvider. Whole numbers only."""
        return await self._resolve_soon(flag_key, 0, default_value, evaluation_context)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """See AbstractProvider."""
        return self._resolve(flag_key, 0.0, default_value, evaluation_context)

    async def resolve_float_details_async(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """See AbstractProvider."""
        return await self._resolve_soon(flag_key, 0.0, default_value, evaluation_context)

    def resolve_object_details(
        self, flag_key: str, default_value: _Object, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[_Object]:
        """See AbstractProvider. A list for who asks with a list, an object for everybody else."""
        return self._resolve(flag_key, _like(default_value), default_value, evaluation_context)

    async def resolve_object_details_async(
        self, flag_key: str, default_value: _Object, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[_Object]:
        """See AbstractProvider. A list for who asks with a list, an object for everybody else."""
        return await self._resolve_soon(flag_key, _like(default_value), default_value, evaluation_context)

    def _resolve(
        self, flag_key: str, like: Json, default: _Value, context: EvaluationContext | None
    ) -> FlagResolutionDetails[_Value]:
        distinct_id, groups, properties, group_properties = _who(context)
        given = self._client._flags.resolve(flag_key, distinct_id, groups, {}, properties, group_properties)
        return _details(self._client._typed(given, like, distinct_id, groups, {}), default)

    async def _resolve_soon(
        self, flag_key: str, like: Json, default: _Value, context: EvaluationContext | None
    ) -> FlagResolutionDetails[_Value]:
        distinct_id, groups, properties, group_properties = _who(context)
        given = await self._client._flags.resolve_soon(flag_key, distinct_id, groups, {}, properties, group_properties)
        return _details(self._client._typed(given, like, distinct_id, groups, {}), default)

    def _tell(self, changed: frozenset[str]) -> None:
        told, status = self._told, self._client.flag_status
        if told is None:
            return  # not initialized yet: the SDK tells by itself what comes of it
        self._told = status.state
        if status.state is FlagState.STALE and told is not FlagState.STALE:
            self.emit_provider_stale(ProviderEventDetails(message=status.trouble))
        if status.state is FlagState.READY and told is not FlagState.READY:
            self.emit_provider_ready(ProviderEventDetails())
        if changed:
            self.emit_provider_configuration_changed(ProviderEventDetails(flags_changed=sorted(changed)))


def _who(context: EvaluationContext | None) -> tuple[str, Any, dict[str, Any] | None, Any]:
    """distinct_id, groups, properties and group properties, as the client's checks take them."""
    if context is None:
        return "", None, None, None
    properties = dict(context.attributes)
    groups = properties.pop("groups", None)
    group_properties = properties.pop("group_properties", None)
    return context.targeting_key or "", groups, properties or None, group_properties


def _like(default: object) -> Json:
    return [] if isinstance(default, list | tuple) else {}


def _details(given: Resolution, default: _Value) -> FlagResolutionDetails[_Value]:
    metadata: dict[str, bool | int | float | str] = {}
    if given.flag_version:
        metadata["version"] = given.flag_version
    if given.rule_id:
        metadata["rule_id"] = given.rule_id
    if given.error_code is not None:
        code = ErrorCode(given.error_code.value)
        return FlagResolutionDetails(default, code, given.error_message, Reason.ERROR, None, metadata)
    value: Any = given.value
    return FlagResolutionDetails(value, None, None, Reason(given.reason.value), given.variant, metadata)
