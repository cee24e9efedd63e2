"""Events on their way in: checked at the door, kept in the journal, loaded into the warehouse."""

from burgee_server.capture.admission import MAX_EVENTS, Admission, Rejection, admit
from burgee_server.capture.capture import Capture, Receipt
from burgee_server.capture.handover import Handover
from burgee_server.capture.isolator import Isolator
from burgee_server.capture.loader import Loader
from burgee_server.capture.quarantine import Quarantine, Replay
from burgee_server.capture.times import TimeWindow

__all__ = [
    "MAX_EVENTS",
    "Admission",
    "Capture",
    "Handover",
    "Isolator",
    "Loader",
    "Quarantine",
    "Receipt",
    "Rejection",
    "Replay",
    "TimeWindow",
    "admit",
]
