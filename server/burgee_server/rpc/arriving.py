"""Reads what Capture is sent. A module of its own: where batches are checked no more of this package is needed."""

from burgee.v1 import capture_pb2
from burgee_server.journal.v1.journal_pb2 import ArrivingBatch
from burgee_server.rpc.decoding import decode

_REQUEST = capture_pb2.CaptureRequest.DESCRIPTOR


def read_batch(raw: bytes) -> ArrivingBatch:
    """A CaptureRequest, its events as bytes to be looked at. Raises Invalid."""
    return decode(raw, ArrivingBatch.FromString, _REQUEST)
