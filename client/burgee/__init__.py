"""Burgee's client: events, feature flags by company, and usage insights for B2B products."""

from burgee.aio import AsyncClient
from burgee.client import Client
from burgee.counts import Stats
from burgee.evaluation import AllOf, AnyOf, Not
from burgee.evaluation.model import Condition, ErrorCode, Operator, Reason, Resolution
from burgee.filter import all_of, any_of, not_, where
from burgee.flag_status import FlagState, FlagStatus
from burgee.insights import (
    Breakdown,
    Exclusion,
    Formula,
    Funnel,
    FunnelCount,
    FunnelQuery,
    FunnelRow,
    Happening,
    Part,
    Query,
    QueryError,
    QueryInfo,
    Retention,
    RetentionAverage,
    RetentionCell,
    RetentionQuery,
    RetentionRow,
    RetentionTable,
    Series,
    Step,
    Trend,
    TrendQuery,
    TrendRow,
)
from burgee.losses import Dropped

__all__ = [
    "AllOf",
    "AnyOf",
    "AsyncClient",
    "Breakdown",
    "Client",
    "Condition",
    "Dropped",
    "ErrorCode",
    "Exclusion",
    "FlagState",
    "FlagStatus",
    "Formula",
    "Funnel",
    "FunnelCount",
    "FunnelQuery",
    "FunnelRow",
    "Happening",
    "Not",
    "Operator",
    "Part",
    "Query",
    "QueryError",
    "QueryInfo",
    "Reason",
    "Resolution",
    "Retention",
    "RetentionAverage",
    "RetentionCell",
    "RetentionQuery",
    "RetentionRow",
    "RetentionTable",
    "Series",
    "Stats",
    "Step",
    "Trend",
    "TrendQuery",
    "TrendRow",
    "all_of",
    "any_of",
    "not_",
    "where",
]
