"""What is counted while the server runs, and how Prometheus reads it."""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LOOP_S = 0.5
REQUEST_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 10)
LAG_BUCKETS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


class Metrics(Collector):
    """The counters of one process. No label holds anything that a client may choose freely."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "http_request_seconds",
            "HTTP requests by route and status.",
            ("method", "route", "status"),
            registry=self._registry,
            buckets=REQUEST_BUCKETS_S,
        )
        self._results = self._counter("typing_results", "Results stored.", "verdict")
        self._boards = self._counter("typing_boards", "Leaderboards shown, by who knew.", "source")
        self._closes = self._counter("typing_closes", "Websockets closed.", "code")
        self._bus = self._counter(
            "typing_bus_messages", "Messages between processes, by what became of them.", "outcome"
        )
        self._refusals = self._counter(
            "typing_refusals", "What was refused because there was too much to do.", "kind"
        )
        # Counted for every keystroke or nearly so: plain numbers, which a reader finds in its form.
        self.acks = 0
        self._outcomes: dict[str, int] = {}
        self._lags = [0] * (len(LAG_BUCKETS_S) + 1)
        self._lag_sum_s = self._lag_s_max = 0.0
        self._registry.register(self)
        self._loop_lag_s = Histogram(
            "event_loop_lag_seconds",
            "How late the event loop wakes a timer.",
            registry=self._registry,
            buckets=LAG_BUCKETS_S,
        )

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(name, about, labels, registry=self._registry)

    def watch(self, name: str, about: str, now: Callable[[], float]) -> None:
        """Show what `now` returns whenever somebody reads."""
        Gauge(name, about, registry=self._registry).set_function(now)

    def requested(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).observe(seconds)

    def stored_result(self, verdict: str) -> None:
        self._results.labels(verdict).inc()

    def answered_board(self, source: str) -> None:
        self._boards.labels(source).inc()

    def refused(self, kind: str) -> None:
        """A `socket`, an `attempt` or a race was refused for want of time."""
        self._refusals.labels(kind).inc()

    def closed(self, code: int | None) -> None:
        """A websocket has ended; without a code the client was gone before."""
        self._closes.labels("lost" if code is None else str(int(code))).inc()

    def passed(self, outcome: str, count: int = 1) -> None:
        """Messages to or from other processes were `sent`, `heard`, `lost`, `late`, `malformed`."""
        self._bus.labels(outcome).inc(count)

    def settled(self, outcome: str, seconds: float) -> None:
        """A journal entry's fate is known, this long after it was written."""
        self._outcomes[outcome] = self._outcomes.get(outcome, 0) + 1
        self._lags[bisect_left(LAG_BUCKETS_S, seconds)] += 1
        self._lag_sum_s += seconds
        if seconds > self._lag_s_max:
            self._lag_s_max = seconds

    def take_slowest_commit_s(self) -> float:
        """How long the slowest entry took of those settled since this was asked last."""
        slowest_s, self._lag_s_max = self._lag_s_max, 0.0
        return slowest_s

    def collect(self) -> Iterator[Metric]:
        """What is counted as plain numbers, for the registry."""
        yield CounterMetricFamily("typing_acks", "Acknowledgements sent.", value=self.acks)
        entries = CounterMetricFamily(
            "typing_journal_entries", "Entries settled.", labels=["outcome"]
        )
        for outcome, count in self._outcomes.items():
            entries.add_metric([outcome], count)
        yield entries
        upto = accumulate(self._lags)
        names = [*(str(bucket) for bucket in LAG_BUCKETS_S), "+Inf"]
        yield HistogramMetricFamily(
            "typing_journal_lag_seconds",
            "From an entry's being written to its commit.",
            buckets=list(zip(names, upto, strict=True)),
            sum_value=self._lag_sum_s,
        )

    async def watch_loop(self) -> None:
        """Measure the event loop until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + LOOP_S
            await asyncio.sleep(LOOP_S)
            self._loop_lag_s.observe(max(0.0, loop.time() - due_s))

    def text(self) -> bytes:
        """Everything, in the text format of Prometheus."""
        return generate_latest(self._registry)
