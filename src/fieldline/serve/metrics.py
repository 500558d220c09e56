"""What the server counts, under Prometheus' names: base units, `_total` and `_seconds`.

The hot routes count in plain integers, which are told as metrics only when somebody asks.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

MEDIA_TYPE = CONTENT_TYPE_LATEST
BOUNDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Upper ends of the histograms' buckets, seconds."""


class Durations:
    """How long something took, in buckets."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Add one duration."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def family(self, name: str, text: str) -> HistogramMetricFamily:
        """Return the buckets as Prometheus wants them, each counting all below its bound."""
        upto, buckets = 0, []
        for bound, count in zip((*BOUNDS, "+Inf"), self.counts, strict=True):
            upto += count
            buckets.append((str(bound), float(upto)))
        return HistogramMetricFamily(name, text, buckets=buckets, sum_value=self.total)


class Metrics(Collector):
    """The counters of one server, on a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.answered: dict[tuple[str, int], int] = {}
        self.mixed = self.organic_only = 0
        self.accepted = self.repeated = 0
        self.dropped_overload = self.dropped_deadline = 0
        self.decide_seconds = Durations()
        self.events_seconds = Durations()
        self._tallies: list[tuple[str, str, Callable[[], float]]] = []
        ProcessCollector(registry=self.registry)
        self.registry.register(self)

    def count(self, route: str, status: int) -> None:
        """Count a request that was answered."""
        key = (route, status)
        self.answered[key] = self.answered.get(key, 0) + 1

    def watch(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show a value as it stands whenever the metrics are read."""
        Gauge(name, text, registry=self.registry).set_function(read)

    def tally(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Show a count that is kept elsewhere, as it stands whenever the metrics are read."""
        self._tallies.append((name, text, read))

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        """Yield the counters as they stand."""
        requests = CounterMetricFamily(
            "fieldline_http_requests", "Requests answered, by route and status.", labels=("route", "status")
        )
        for (route, status), count in self.answered.items():
            requests.add_metric((route, str(status)), count)
        yield requests
        yield _counter(
            "fieldline_decisions",
            "Decisions replied.",
            "kind",
            {"mixed": self.mixed, "organic_only": self.organic_only},
        )
        yield _counter(
            "fieldline_events",
            "Events acknowledged.",
            "kind",
            {"accepted": self.accepted, "repeated": self.repeated},
        )
        yield _counter(
            "fieldline_paid_dropped",
            "Decisions asked for as organic only, by cause.",
            "cause",
            {"overload": self.dropped_overload, "deadline": self.dropped_deadline},
        )
        for name, text, read in self._tallies:
            yield CounterMetricFamily(name, text, value=read())
        yield self.decide_seconds.family(
            "fieldline_decide_seconds", "From a decide request's arrival to its reply, durable."
        )
        yield self.events_seconds.family(
            "fieldline_events_seconds", "From a batch's arrival to its acknowledgement, durable."
        )


def _counter(name: str, text: str, label: str, counts: dict[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=(label,))
    for value, count in counts.items():
        family.add_metric((value,), count)
    return family
