"""Burgee's client: events, feature flags by company, and usage insights for B2B products."""

from burgee.aio import AsyncClient
from burgee.client import Client
from burgee.evaluation.model import Condition, ErrorCode, Operator, Reason, Resolution
from burgee.filter import AllOf, AnyOf, Not, all_of, any_of, not_, where
from burgee.flag_status import FlagState, FlagStatus
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
from burgee.stats import Stats

__all__ = [
    "AllOf",
    "AnyOf",
    "AsyncClient",
    "Breakdown",
    "Client",
    "Condition",
    "Dropped",
    "ErrorCode",
    "FlagState",
    "FlagStatus",
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
