"""Events on their way out: all that are selected, in parts that fit a message."""

from burgee_server.exports.exports import Exports
from burgee_server.exports.parts import Part

__all__ = ["Exports", "Part"]
