"""Flag checks, answered by the server: they never raise and never take longer than their timeout."""

from time import monotonic

import grpc

from burgee.channel import Connection
from burgee.context import Asker
from burgee.evaluation.model import ErrorCode, Reason, Resolution
from burgee.log import SparseLog, text, words
from burgee.status import code_and_message
from burgee.v1 import flags_pb2, flags_pb2_grpc
from burgee.waits import Waits
from burgee.wire import resolution_from_proto, resolution_to_proto


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

    async def resolve(self, waits: Waits, flag_key: str, asker: Asker, timeout: float | None = None) -> Resolution:
        """What the flag gives; Reason.ERROR, and what went wrong, if that cannot be said."""
        try:
            request = flags_pb2.EvaluateRequest(flag_key=flag_key, context=asker.message())
        except Exception as error:  # whatever a hostile property raises
            return self._invalid(flag_key, error)
        try:
            answer = await waits.call(self._service().Evaluate, request, timeout or self._timeout)
            return resolution_from_proto(answer.resolution)
        except Exception as error:
            return self._unanswered(flag_key, error)

    async def resolve_all(self, waits: Waits, asker: Asker, timeout: float | None = None) -> dict[str, Resolution]:
        """What every flag gives, by flag key; empty, and a warning in the log, if that cannot be said."""
        try:
            request = flags_pb2.EvaluateAllRequest(context=asker.message())
            answer = await waits.call(self._service().EvaluateAll, request, timeout or self._timeout)
            return {each.flag_key: resolution_from_proto(each) for each in answer.resolutions}
        except Exception as error:
            self._unanswered("", error)
            return {}

    async def explain(self, waits: Waits, flag_key: str, asker: Asker) -> flags_pb2.ExplainResponse:
        """Why the flag gives what it gives: every rule, every condition, bucket and threshold."""
        try:
            request = flags_pb2.ExplainRequest(flag_key=flag_key, context=asker.message())
        except Exception as error:
            return _unexplained(self._invalid(flag_key, error))
        try:
            answer: flags_pb2.ExplainResponse = await waits.call(self._service().Explain, request, self._timeout)
            return answer
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
