"""Questions about usage and their answers, as Python sees them: frozen values, and tables made of them."""

from burgee.insights.features import Feature, FeatureUsage, FeatureUsageQuery, FeatureUse
from burgee.insights.funnel import Exclusion, Funnel, FunnelCount, FunnelQuery, FunnelRow, Step
from burgee.insights.paths import PathEdge, PathGroup, PathNode, Paths, PathsQuery
from burgee.insights.retention import (
    Retention,
    RetentionAverage,
    RetentionCell,
    RetentionQuery,
    RetentionRow,
    RetentionTable,
)
from burgee.insights.trend import Formula, Series, Trend, TrendQuery, TrendRow
from burgee.insights.words import Answer, Breakdown, By, Happening, Moment, Part, Query, QueryError, QueryInfo, Where

__all__ = [
    "Answer",
    "Breakdown",
    "By",
    "Exclusion",
    "Feature",
    "FeatureUsage",
    "FeatureUsageQuery",
    "FeatureUse",
    "Formula",
    "Funnel",
    "FunnelCount",
    "FunnelQuery",
    "FunnelRow",
    "Happening",
    "Moment",
    "Part",
    "PathEdge",
    "PathGroup",
    "PathNode",
    "Paths",
    "PathsQuery",
    "Query",
    "QueryError",
    "QueryInfo",
    "Retention",
    "RetentionAverage",
    "RetentionCell",
    "RetentionQuery",
    "RetentionRow",
    "RetentionTable",
    "Series",
    "Step",
    "Trend",
    "TrendQuery",
    "TrendRow",
    "Where",
]
