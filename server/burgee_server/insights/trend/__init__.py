"""Trends: how much, over time."""

from burgee_server.insights.trend.model import Measure, Series, Trend, TrendQuery, TrendRow
from burgee_server.insights.trend.plan import plan_trend

__all__ = ["Measure", "Series", "Trend", "TrendQuery", "TrendRow", "plan_trend"]
