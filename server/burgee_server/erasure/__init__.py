"""What has to be forgotten: persons and groups when somebody asks for it, and events that have grown old."""

from burgee_server.erasure.belated import Belated
from burgee_server.erasure.eraser import Eraser
from burgee_server.erasure.erasures import Erasures
from burgee_server.erasure.retention import Retention

__all__ = ["Belated", "Eraser", "Erasures", "Retention"]
