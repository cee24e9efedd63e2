"""Feature usage: which features are used, by how many, how often, and since when no longer."""

from burgee_server.insights.features.model import Feature, FeaturesQuery, FeatureUsage, FeatureUse
from burgee_server.insights.features.plan import plan_features

__all__ = ["Feature", "FeatureUsage", "FeatureUse", "FeaturesQuery", "plan_features"]
