"""Turns what was counted into what prometheus_client writes."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family

from burgee_server.meters import BOUNDS, Timings
from burgee_server.metrics.table import Kind, Metric


class Sample(NamedTuple):
    """One value of a metric: a number, or the timings of a histogram."""

    metric: Metric
    value: float | Timings
    labels: tuple[str, ...] = ()


def families(samples: Iterable[Sample]) -> Iterator[Family]:
    """The samples by metric; a metric without any is left out."""
    found: dict[Metric, Any] = {}
    for metric, value, labels in samples:
        family = found.get(metric)
        if family is None:
            family = found[metric] = _FAMILIES[metric.kind](metric.name, metric.help, labels=metric.labels)
        if isinstance(value, Timings):
            counts = value.cumulative()
            buckets = [*zip(map(str, BOUNDS), counts[:-1], strict=True), ("+Inf", counts[-1])]
            family.add_metric(labels, buckets, value.seconds)
        else:
            family.add_metric(labels, value)
    yield from found.values()


_FAMILIES = {Kind.COUNTER: CounterMetricFamily, Kind.GAUGE: GaugeMetricFamily, Kind.HISTOGRAM: HistogramMetricFamily}
