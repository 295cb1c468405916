"""Metrics for Prometheus, read from the same rows as everything else, when they are asked for: so
any process can answer for all of them. Labels are services, states, codes and addresses of EPRs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from fhir_gateway.delivery import health
from fhir_gateway.delivery.timing import Timing
from fhir_gateway.store import alarms, attempts, gates, standing, texts
from fhir_gateway.store.database import Database, Transaction


def exposition(database: Database, timing: Timing, clock: Callable[[], datetime]) -> bytes:
    """The metrics in Prometheus' text format, one transaction for all."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Rows(database, timing, clock))
    return generate_latest(registry)


class _Rows(Collector):
    def __init__(self, database: Database, timing: Timing, clock: Callable[[], datetime]) -> None:
        self._database, self._timing, self._clock = database, timing, clock

    def collect(self) -> Iterable[Metric]:
        """Everything."""
        with self._database.transaction() as tx:
            return [*_requests(tx), *_neighbours(tx, self._clock()), *self._health(tx)]

    def _health(self, tx: Transaction) -> Iterable[Metric]:
        now = self._clock()
        read = health.read(tx, self._timing, now=now)
        age = _gauge("oldest_undelivered_seconds", "Age of the oldest undelivered", "service")
        arrived = _gauge("synthetic_arrived_timestamp", "When a synthetic one arrived", "service")
        for one in read.services:
            age.add_metric([one.service], one.oldest_undelivered_seconds or 0)
            if one.last_synthetic_arrived:
                moment = datetime.fromisoformat(one.last_synthetic_arrived)
                arrived.add_metric([one.service], moment.timestamp())
        alarm = _gauge("alarm", "Alarms that stand", "subject", "kind")
        for standing_alarm in alarms.standing(tx):
            alarm.add_metric([standing_alarm.subject, standing_alarm.kind], 1)
        working = _gauge("workers", "Delivering processes that are alive")
        working.add_metric([], read.workers)
        return [age, arrived, alarm, working]


def _requests(tx: Transaction) -> Iterable[Metric]:
    requests = _gauge("requests", "Requests by how far they are", "service", "state")
    for (service, state), count in standing.counts(tx).items():
        requests.add_metric([service, state], count)
    messages = _gauge("texts", "Texts by how far they are", "kind", "state")
    for (kind, state), count in texts.states(tx).items():
        messages.add_metric([kind, state], count)
    return [requests, messages]


def _neighbours(tx: Transaction, now: datetime) -> Iterable[Metric]:
    tries = CounterMetricFamily(
        "fhir_gateway_delivery_attempts",
        "Attempts to deliver by outcome ('unknown' until it is known)",
        labels=["neighbour", "outcome"],
    )
    for (name, outcome), count in attempts.outcomes(tx).items():
        tries.add_metric([name, outcome or "unknown"], count)
    opened = _gauge("circuit_open", "Whether a neighbour is left alone for a while", "neighbour")
    paused = _gauge("paused", "Whether an operator has paused a neighbour", "neighbour")
    for one in gates.every(tx):
        opened.add_metric([one.name], one.open_until is not None and one.open_until > now)
        paused.add_metric([one.name], one.paused_at is not None)
    return [tries, opened, paused]


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"fhir_gateway_{name}", text, labels=list(labels))
