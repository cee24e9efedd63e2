"""Takes parcels from the desk and sees them through: sent, answered, and their losses told."""

import threading

from burgee.channel import Connection
from burgee.delivery import Refused, deliver
from burgee.desk import Desk
from burgee.log import SparseLog
from burgee.losses import Losses
from burgee.parcel import Parcel, losses_of
from burgee.v1.capture_pb2 import CaptureResponse


class Sender:
    """What all threads that send have in common."""

    def __init__(self, desk: Desk, connection: Connection, losses: Losses) -> None:
        self._desk = desk
        self._connection = connection
        self._losses = losses
        self._stopped = threading.Event()
        self._log = SparseLog()

    def run(self) -> None:
        """Send until told to stop."""
        while (parcel := self._desk.take()) is not None:
            self._send(parcel)

    def stop(self) -> None:
        """Wait no more before calls are made again."""
        self._stopped.set()

    def _send(self, parcel: Parcel) -> None:
        dropped: dict[int, str] = {}
        rejected: dict[int, str] = {}
        try:
            answer = deliver(self._connection, parcel, self._stopped, self._retry)
        except Refused as refusal:
            dropped = dict.fromkeys(range(parcel.count), str(refusal))
        else:
            if answer is None:
                return
            if isinstance(answer, CaptureResponse):
                known = range(parcel.count)
                rejected = {bad.index: f"{bad.field}: {bad.reason}" for bad in answer.rejected if bad.index in known}
        if not self._desk.answer(parcel, dropped=len(dropped), rejected=len(rejected)):
            return
        for loss in losses_of(parcel, dropped or rejected):
            self._losses.tell(loss)
        self._desk.settle(parcel)

    def _retry(self, reason: str) -> None:
        self._losses.counts.count_retry()
        self._log.warn("not delivered yet, and sent again: %s", reason)
