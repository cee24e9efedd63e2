"""What has to be forgotten: persons and groups, when somebody asks for it."""

from burgee_server.erasure.eraser import Eraser
from burgee_server.erasure.erasures import Erasures

__all__ = ["Eraser", "Erasures"]
