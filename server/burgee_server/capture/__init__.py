"""Events on their way in: checked at the door, kept in the journal, loaded into the warehouse."""

from burgee_server.capture.admission import MAX_EVENTS, Admission, Rejection, admit
from burgee_server.capture.capture import Capture, Receipt
from burgee_server.capture.loader import Loader

__all__ = ["MAX_EVENTS", "Admission", "Capture", "Loader", "Receipt", "Rejection", "admit"]
