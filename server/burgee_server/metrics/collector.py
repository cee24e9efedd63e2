"""Asks everybody how things stand, at the moment when somebody wants to know."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from time import perf_counter
from typing import TypeAlias

from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector as PrometheusCollector

from burgee_server.metrics.samples import Sample, families
from burgee_server.metrics.table import LOOP_WAIT, SCRAPE_FAILURES

log = logging.getLogger(__name__)

Source: TypeAlias = Callable[[], Iterable[Sample] | Awaitable[Iterable[Sample]]]

SECONDS = 5.0
"""How long a scrape waits for what has to be asked for."""


class Collector(PrometheusCollector):
    """Called by prometheus_client in a thread of its own; asks its sources, by name, on the event loop.

    A source that fails or takes too long is left out and counted: a store that is away must not hide everything else.
    """

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources
        self._failures: Counter[str] = Counter(dict.fromkeys(sources, 0))
        self._loop = asyncio.get_running_loop()

    def collect(self) -> Iterable[Family]:
        """Every metric of every source."""
        asked = asyncio.run_coroutine_threadsafe(self.read(perf_counter()), self._loop)
        return families(asked.result(2 * SECONDS))

    def describe(self) -> Iterable[Family]:
        """Nothing in advance: to be registered does not mean to be asked."""
        return ()

    async def read(self, asked_at: float) -> list[Sample]:
        """What every source says; `asked_at` is perf_counter() when it was asked for."""
        samples = [Sample(LOOP_WAIT, perf_counter() - asked_at)]
        answers = await asyncio.gather(*(self._ask(name, source) for name, source in self._sources.items()))
        for answer in answers:
            samples += answer
        return samples + [Sample(SCRAPE_FAILURES, count, (name,)) for name, count in self._failures.items()]

    async def _ask(self, name: str, source: Source) -> Iterable[Sample]:
        try:
            async with asyncio.timeout(SECONDS):
                said = source()
                return list(await said if isinstance(said, Awaitable) else said)
        except Exception as error:
            self._failures[name] += 1
            log.warning("the metrics of %s are left out of a scrape: %s", name, type(error).__name__)
            return ()
