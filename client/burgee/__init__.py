"""Burgee's client: events, feature flags by company, and usage insights for B2B products."""

from burgee.client import Client, Stats
from burgee.evaluation import AllOf, AnyOf, Not
from burgee.evaluation.model import Condition, ErrorCode, Operator, Reason, Resolution
from burgee.filter import all_of, any_of, not_, where
from burgee.insights import (
    Breakdown,
    Funnel,
    FunnelCount,
    FunnelRow,
    Part,
    QueryError,
    QueryInfo,
    Series,
    Step,
    Trend,
    TrendRow,
)
from burgee.losses import Dropped

__all__ = [
    "AllOf",
    "AnyOf",
    "Breakdown",
    "Client",
    "Condition",
    "Dropped",
    "ErrorCode",
    "Funnel",
    "FunnelCount",
    "FunnelRow",
    "Not",
    "Operator",
    "Part",
    "QueryError",
    "QueryInfo",
    "Reason",
    "Resolution",
    "Series",
    "Stats",
    "Step",
    "Trend",
    "TrendRow",
    "all_of",
    "any_of",
    "not_",
    "where",
]
