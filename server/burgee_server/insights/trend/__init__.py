"""Trends: how much, over time."""

from burgee_server.insights.trend.model import FormulaQuery, Measure, Series, Trend, TrendQuery, TrendRow
from burgee_server.insights.trend.plan import plan_trend

__all__ = ["FormulaQuery", "Measure", "Series", "Trend", "TrendQuery", "TrendRow", "plan_trend"]
