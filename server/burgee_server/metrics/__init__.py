"""What a server counts, named for Prometheus and served over HTTP: docs/operations.md has a row for each metric."""

from burgee_server.metrics.collector import Collector, Source
from burgee_server.metrics.server import MetricsServer
from burgee_server.metrics.table import METRICS

__all__ = ["METRICS", "Collector", "MetricsServer", "Source"]
