"""FlagService."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import grpc

from burgee import wire
from burgee.evaluation import Context, Reason, Resolution
from burgee.v1 import flags_pb2 as pb
from burgee_server.errors import Invalid
from burgee_server.flags import Answer, Answers, Checks, Watch
from burgee_server.names import MAX_NAME
from burgee_server.rpc.call import environment_id
from burgee_server.rpc.decoding import decode

MAX_ANSWERS = 100_000
MAX_ANSWER_BYTES = 64 << 20
_MOST_TOLD = f"{MAX_ANSWER_BYTES >> 20} MiB"
MAX_CONTEXT_BYTES = 65_536
_MOST_RESPONSES = 10_000
MAX_HEARTBEAT_SECONDS = 300

_HEARTBEAT_SECONDS = 15

_read_question = pb.EvaluateRequest.FromString
_QUESTION = pb.EvaluateRequest.DESCRIPTOR


@dataclass(slots=True)
class KeptAnswer:
    """An answer as it was given, on the wire, and what it would be now where that depends on the time."""

    answer: bytes
    reason: Reason
    again: Callable[[], Resolution] | None


class FlagServicer:
    """Flag checks, and what others need to make them."""

    def __init__(self, checks: Checks, answers: Answers[KeptAnswer], watch: Watch) -> None:
        self._checks = checks
        self._answers = answers
        self._watch = watch
        self.evaluations: Counter[Reason] = Counter()
        """How many answers were given, by reason; explanations aside."""
        self._responses: dict[int, tuple[Resolution, tuple[pb.EvaluateResponse, bytes]]] = {}

    async def Evaluate(self, question: bytes, _context: Any) -> bytes:
        """One flag, one context, of whom something may have to be read: the door asks `at_once` before."""
        environment = environment_id()
        return self._given(environment, question, await self._checks.evaluate(environment, *_asked(question)))

    def at_once(self, environment: int, question: bytes) -> bytes | None:
        """What Evaluate answers, if all that it takes is in memory, else None. Raises what Evaluate raises.

        Bytes in and out: a question that was asked before need not be read.
        """
        if (known := self._answers.find(environment, question)) is not None:
            if known.again is not None:
                return self._written(known.again())
            self.evaluations[known.reason] += 1
            return known.answer
        given = self._checks.peek(environment, *_asked(question))
        return None if given is None else self._given(environment, question, given)

    async def EvaluateAll(self, request: pb.EvaluateAllRequest, _context: Any) -> pb.EvaluateAllResponse:
        """Every flag, one context."""
        resolutions = await self._checks.evaluate_all(environment_id(), _read_context(request.context))
        response = pb.EvaluateAllResponse(resolutions=map(wire.resolution_to_proto, resolutions))
        if response.ByteSize() > MAX_ANSWER_BYTES:
            raise Invalid.of(
                "context", f"the answers are more than {_MOST_TOLD}: ask for some flags, with BatchEvaluate"
            )
        self.evaluations.update(resolution.reason for resolution in resolutions)
        return response

    async def BatchEvaluate(self, request: pb.BatchEvaluateRequest, _context: Any) -> pb.BatchEvaluateResponse:
        """Several flags, several contexts."""
        if not request.contexts:
            raise Invalid.of("contexts", "at least one")
        keys = [_flag_key(key, f"flag_keys[{index}]") for index, key in enumerate(request.flag_keys)]
        per_context = len(keys) or await self._checks.count(environment_id())
        answers = per_context * len(request.contexts)
        if answers > MAX_ANSWERS:
            raise Invalid.of("contexts", f"at most {MAX_ANSWERS:,} answers a call, this one asks for {answers:,}")
        contexts = [_read_context(context, f"contexts[{index}]") for index, context in enumerate(request.contexts)]
        response = pb.BatchEvaluateResponse()
        size = 0
        async for resolutions in self._checks.evaluate_many(environment_id(), keys, contexts):
            written = [self._response(resolution) for resolution in resolutions]
            size += sum(len(serialized) for _, serialized in written)
            if size > MAX_ANSWER_BYTES:
                ask = f"fewer than {len(contexts):,} at a time" if len(contexts) > 1 else "fewer flags"
                raise Invalid.of("contexts", f"the answers are more than {_MOST_TOLD}: ask for {ask}")
            self.evaluations.update(resolution.reason for resolution in resolutions)
            response.results.add(resolutions=[message.resolution for message, _ in written])
        return response

    async def Explain(self, request: pb.ExplainRequest, _context: Any) -> pb.ExplainResponse:
        """Why."""
        context = _read_context(request.context)
        explanation = await self._checks.explain(environment_id(), _flag_key(request.flag_key), context)
        return wire.explanation_to_proto(explanation)

    def Watch(self, request: pb.WatchRequest, _context: Any) -> AsyncIterator[bytes]:
        """What changes. The messages are serialized: each is written once, for all who watch."""
        if request.heartbeat_seconds > MAX_HEARTBEAT_SECONDS:
            raise Invalid.of("heartbeat_seconds", f"at most {MAX_HEARTBEAT_SECONDS}")
        return self._watch.stream(environment_id(), request.version, request.heartbeat_seconds or _HEARTBEAT_SECONDS)

    def add_to(self, server: grpc.aio.Server) -> None:
        """Serve this on `server`."""
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "Evaluate": grpc.unary_unary_rpc_method_handler(self.Evaluate),
            "EvaluateAll": grpc.unary_unary_rpc_method_handler(
                self.EvaluateAll, pb.EvaluateAllRequest.FromString, pb.EvaluateAllResponse.SerializeToString
            ),
            "BatchEvaluate": grpc.unary_unary_rpc_method_handler(
                self.BatchEvaluate, pb.BatchEvaluateRequest.FromString, pb.BatchEvaluateResponse.SerializeToString
            ),
            "Explain": grpc.unary_unary_rpc_method_handler(
                self.Explain, pb.ExplainRequest.FromString, pb.ExplainResponse.SerializeToString
            ),
            "Watch": grpc.unary_stream_rpc_method_handler(self.Watch, pb.WatchRequest.FromString),
        }
        service = pb.DESCRIPTOR.services_by_name["FlagService"].full_name
        server.add_registered_method_handlers(service, handlers)

    def _given(self, environment: int, question: bytes, given: Answer) -> bytes:
        """The answer on the wire, counted, and kept."""
        answer = self._written(given.resolution)
        kept = KeptAnswer(answer, given.resolution.reason, given.again)
        self._answers.keep(environment, question, given.flags, given.known, kept)
        return answer

    def _written(self, resolution: Resolution) -> bytes:
        """The answer on the wire, counted."""
        self.evaluations[resolution.reason] += 1
        return self._response(resolution)[1]

    def _response(self, resolution: Resolution) -> tuple[pb.EvaluateResponse, bytes]:
        """The resolution on the wire, and serialized.

        A flag gives the same few objects again and again, so each is written once. They are told apart
        by identity; keeping the object makes sure that no other takes its place.
        """
        kept = self._responses.get(id(resolution))
        if kept is not None:
            return kept[1]
        message = pb.EvaluateResponse(resolution=wire.resolution_to_proto(resolution))
        response = message, message.SerializeToString()
        if resolution.reason is Reason.ERROR or resolution.parent_groups:
            return response  # made anew, for each unknown flag and with each parent: it would never be found again
        if len(self._responses) >= _MOST_RESPONSES:
            self._responses.clear()
        self._responses[id(resolution)] = resolution, response
        return response


def _asked(question: bytes) -> tuple[str, Context]:
    """The flag's key, and the context. Raises Invalid and WireError."""
    request = decode(question, _read_question, _QUESTION)
    context = _read_context(request.context, size=len(question))
    return _flag_key(request.flag_key), context


def _read_context(message: pb.EvaluationContext, path: str = "context", size: int = MAX_CONTEXT_BYTES + 1) -> Context:
    """The context, from `size` bytes at most. Raises Invalid for one that is too large, WireError for a wrong one."""
    if size > MAX_CONTEXT_BYTES and message.ByteSize() > MAX_CONTEXT_BYTES:
        raise Invalid.of(path, f"must be at most {MAX_CONTEXT_BYTES:,} bytes, got {message.ByteSize():,}")
    context = wire.context_from_proto(message, path)
    if len(context.distinct_id) > MAX_NAME:
        raise Invalid.of(f"{path}.distinct_id", f"must be at most {MAX_NAME} characters")
    for group_type, key in context.groups.items():
        if len(group_type) > MAX_NAME or len(key) > MAX_NAME:
            raise Invalid.of(f"{path}.groups[{group_type[:MAX_NAME]}]", f"must be at most {MAX_NAME} characters")
    return context


def _flag_key(key: str, field: str = "flag_key") -> str:
    """The key asked for. Raises Invalid for none; any other that is no flag's is answered FLAG_NOT_FOUND."""
    if not key:
        raise Invalid.of(field, "must not be empty")
    if len(key) > MAX_NAME:
        raise Invalid.of(field, f"must be at most {MAX_NAME} characters, got {len(key):,}")
    return key
