"""Questions about usage: each insight turns a plain query into SQL and its rows into a plain answer."""

from burgee_server.insights.insights import Insights

__all__ = ["Insights"]
