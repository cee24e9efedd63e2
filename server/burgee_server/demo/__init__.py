"""A believable B2B product, played to a server, and what Burgee says about it."""

from burgee_server.demo.report import play

__all__ = ["play"]
