"""What the service counts of itself, for Prometheus."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from emotone.service.engine import Engine

__all__ = ["Metrics"]

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The figures of one service.

    Attributes:
        sound: seconds of recordings and streams that were answered.
        updates: that streams were sent.
    """

    def __init__(self, engine: Engine) -> None:
        self._registry = CollectorRegistry()
        labels = ("method", "path", "status")
        self._requests = Counter("emotone_requests", "Requests answered.", labels, registry=self._registry)
        self._seconds = Histogram(
            "emotone_request_seconds",
            "Seconds from a request's head to its answer's end.",
            ("path",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.sound = Counter("emotone_sound_seconds", "Seconds of sound answered.", ("by",), registry=self._registry)
        self.updates = Counter("emotone_stream_updates", "Updates sent to streams.", registry=self._registry)
        self._registry.register(_Now(engine))

    def count(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count a request. `path` is a route's, not the caller's: there are few of them."""
        self._requests.labels(method, path, status).inc()
        self._seconds.labels(path).observe(seconds)

    def text(self) -> bytes:
        """Return all of them in Prometheus's text format."""
        return generate_latest(self._registry)


class _Now(Collector):
    """What is so at the moment."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        engine = self._engine
        for name, told, value in (
            ("emotone_requests_at_work", "Requests worked on or waiting for it.", engine.at_work),
            ("emotone_streams", "Streams that are open.", engine.streams),
            ("emotone_network_waiting", "Windows that wait for the network.", engine.model.waiting),
            ("emotone_upload_bytes", "Bytes of bodies in memory.", engine.bodies.taken),
            ("emotone_decoders", "Processes that decode.", len(engine.pool.pids)),
        ):
            yield GaugeMetricFamily(name, told, value)
        batches = CounterMetricFamily(
            "emotone_network_batches", "Calls of the network, by windows.", labels=["windows"]
        )
        for size, times in sorted(engine.model.sizes.items()):
            batches.add_metric([str(size)], times)
        yield batches
