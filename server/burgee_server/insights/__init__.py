"""Questions about usage: each insight turns a plain query into SQL and its rows into a plain answer."""

from burgee_server.insights.asked import OneGroup, Terms
from burgee_server.insights.computing import WarehouseComputing
from burgee_server.insights.insights import Insights
from burgee_server.insights.lists import Lists
from burgee_server.insights.patterns import check_matchers
from burgee_server.insights.saved import SavedInsights

__all__ = ["Insights", "Lists", "OneGroup", "SavedInsights", "Terms", "WarehouseComputing", "check_matchers"]
