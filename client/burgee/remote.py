"""Flag checks, answered by the server: they never raise and never take longer than their timeout."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic

import grpc

from burgee.channel import Connection
from burgee.evaluation.model import Context, ErrorCode, Properties, Reason, Resolution
from burgee.events import plain_properties
from burgee.log import SparseLog, text, words
from burgee.status import code_and_message
from burgee.v1 import flags_pb2, flags_pb2_grpc
from burgee.wire import context_to_proto, resolution_from_proto, resolution_to_proto


@dataclass(frozen=True, slots=True)
class Asker:
    """Whom a check is for, as the caller gave it and before anybody looked at it."""

    distinct_id: str
    groups: Mapping[str, str | None] | None
    group_keys: Mapping[str, str | None]
    properties: Properties | None
    group_properties: Mapping[str, Properties] | None

    def context(self) -> Context:
        """The context to evaluate for; a group key of None is no group. Raises for what is not of these types."""
        named = {**self.groups, **self.group_keys} if self.groups else self.group_keys
        return Context(
            self.distinct_id,
            {group_type: key for group_type, key in named.items() if key is not None},
            plain_properties(self.properties) if self.properties else {},
            {group_type: plain_properties(each) for group_type, each in (self.group_properties or {}).items()},
        )


class RemoteFlags:
    """Asks the server each time. `timeout` is in seconds; a server that is not there fails at once."""

    def __init__(self, connection: Connection, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout
        self.reset()

    def reset(self) -> None:
        """Begin anew, as in a forked child."""
        self._log = SparseLog()
        self.silent_at = 0.0
        """When a call last got no answer at all, by the monotonic clock."""

    def resolve(self, flag_key: str, asker: Asker, timeout: float | None = None) -> Resolution:
        """What the flag gives; Reason.ERROR, and what went wrong, if that cannot be said."""
        try:
            request = flags_pb2.EvaluateRequest(flag_key=flag_key, context=context_to_proto(asker.context()))
        except Exception as error:  # whatever a hostile property raises
            return self._invalid(flag_key, error)
        try:
            return resolution_from_proto(self._service().Evaluate(request, timeout=timeout or self._timeout).resolution)
        except Exception as error:
            return self._unanswered(flag_key, error)

    def resolve_all(self, asker: Asker, timeout: float | None = None) -> dict[str, Resolution]:
        """What every flag gives, by flag key; empty, and a warning in the log, if that cannot be said."""
        try:
            request = flags_pb2.EvaluateAllRequest(context=context_to_proto(asker.context()))
            answers = self._service().EvaluateAll(request, timeout=timeout or self._timeout).resolutions
            return {answer.flag_key: resolution_from_proto(answer) for answer in answers}
        except Exception as error:
            self._unanswered("", error)
            return {}

    def explain(self, flag_key: str, asker: Asker) -> flags_pb2.ExplainResponse:
        """Why the flag gives what it gives: every rule, every condition, bucket and threshold."""
        try:
            request = flags_pb2.ExplainRequest(flag_key=flag_key, context=context_to_proto(asker.context()))
        except Exception as error:
            return _unexplained(self._invalid(flag_key, error))
        try:
            return self._service().Explain(request, timeout=self._timeout)
        except Exception as error:
            return _unexplained(self._unanswered(flag_key, error))

    def _service(self) -> flags_pb2_grpc.FlagServiceStub:
        return self._connection.stub(flags_pb2_grpc.FlagServiceStub)

    def _invalid(self, flag_key: str, error: Exception) -> Resolution:
        self._log.warn("flag %r cannot be asked for: %s", text(flag_key), words(error))
        return failure(flag_key, ErrorCode.INVALID_CONTEXT, words(error))

    def _unanswered(self, flag_key: str, error: Exception) -> Resolution:
        error_code = ErrorCode.GENERAL
        message = words(error)
        if isinstance(error, grpc.RpcError):
            code, details = code_and_message(error)
            message = f"{code.name}: {details}"
            if code is grpc.StatusCode.UNAVAILABLE:
                error_code = ErrorCode.PROVIDER_NOT_READY
            if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                self.silent_at = monotonic()
        self._log.warn("flag %r got no answer: %s", text(flag_key), message)
        return failure(flag_key, error_code, message)


def failure(flag_key: str, code: ErrorCode, message: str) -> Resolution:
    """An answer that says why there is none."""
    return Resolution(text(flag_key), None, "", Reason.ERROR, error_code=code, error_message=message)


def _unexplained(resolution: Resolution) -> flags_pb2.ExplainResponse:
    return flags_pb2.ExplainResponse(resolution=resolution_to_proto(resolution), summary=resolution.error_message)
