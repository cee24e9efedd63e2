"""What came in over the wire, and what was answered."""

from collections.abc import Iterator

from burgee.evaluation import Reason
from burgee_server.capture import Capture
from burgee_server.companion import Companion
from burgee_server.metrics import table
from burgee_server.metrics.samples import Sample
from burgee_server.rpc.calls import Calls
from burgee_server.rpc.detours import Detours
from burgee_server.rpc.flags import FlagServicer
from burgee_server.rpc.limits import CaptureLimits


def calls(answered: Calls) -> Iterator[Sample]:
    """The calls of each method that was called, and those that did not come so far."""
    yield Sample(table.RPC_LATE, answered.late)
    for path, method in answered.by_method.items():
        labels = _labels(path)
        yield Sample(table.RPC_RUNNING, method.running, labels)
        if not method.is_stream:
            yield Sample(table.RPC_SECONDS, method.timings, labels)
        for code, count in method.codes.items():
            yield Sample(table.RPC_CALLS, count, (*labels, code))


def connections(detours: Detours) -> Iterator[Sample]:
    """Connections with many streams."""
    yield Sample(table.CONNECTIONS_SENT_ON, detours.told)
    yield Sample(table.CONNECTIONS_FULL, detours.full)


def evaluations(flags: FlagServicer) -> Iterator[Sample]:
    """Flag checks."""
    for reason in Reason:
        yield Sample(table.EVALUATIONS, flags.evaluations[reason], (reason,))


def captured(capture: Capture, limits: CaptureLimits) -> Iterator[Sample]:
    """Events."""
    for outcome in ("accepted", "duplicate", "rejected"):
        yield Sample(table.CAPTURE_EVENTS, capture.events[outcome], (outcome,))
    yield Sample(table.CAPTURE_CALLS, limits.calls)
    yield Sample(table.CAPTURE_BYTES, limits.bytes)


def companions(companion: Companion) -> Iterator[Sample]:
    """Who checks large batches."""
    yield Sample(table.COMPANION_UP, companion.pid is not None)
    for by in ("companion", "server"):
        yield Sample(table.COMPANION_BATCHES, companion.done[by], (by,))
    yield Sample(table.COMPANION_LOST, companion.lost)
    yield Sample(table.COMPANION_RESIDENT, companion.resident_bytes)


def _labels(path: str) -> tuple[str, str]:
    """Service and method of `/burgee.v1.FlagService/Evaluate`."""
    service, _, method = path.rpartition("/")
    return service.rpartition(".")[2], method
