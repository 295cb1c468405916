from __future__ import annotations

import contextlib
import itertools
import multiprocessing
from pathlib import Path

import pytest

from fhir_gateway.delivery.pds_gate import FAILURES, DatabaseGate
from fhir_gateway.errors import TryLater
from fhir_gateway.store.database import Database
from fhir_gateway.store.seal import Sealer
from tests.both_databases import KEY


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def gates(either: Database, clock: Clock) -> tuple[DatabaseGate, DatabaseGate]:
    """Two processes' gates."""
    return DatabaseGate(either, "pds:x", clock=clock), DatabaseGate(either, "pds:x", clock=clock)


def test_all_processes_together_stay_below_five_a_second(either: Database) -> None:
    clock = Clock()
    one, other = gates(either, clock)
    starts = []
    for number in range(40):
        gate = one if number % 2 else other
        with contextlib.suppress(TryLater):
            starts.append(clock.now + gate.admit())
        clock.now += 0.05
    starts.sort()
    assert len(starts) >= 8
    assert all(later - start >= 0.249 for start, later in itertools.pairwise(starts))


def test_applications_have_limits_of_their_own(either: Database) -> None:
    clock = Clock()
    one, other = DatabaseGate(either, "a", clock=clock), DatabaseGate(either, "b", clock=clock)
    assert one.admit() == other.admit() == 0


def test_after_failures_in_any_process_nobody_calls_until_one_probes(either: Database) -> None:
    clock = Clock()
    one, other = gates(either, clock)
    for _ in range(FAILURES):
        one.admit()
        one.failed()
        clock.now += 1
    with pytest.raises(TryLater) as refused:
        other.admit()
    assert refused.value.code == "pds-resting"
    assert 1 <= (refused.value.after or 0) <= 15
    clock.now += 16
    other.admit()
    with pytest.raises(TryLater, match="rest"):
        one.admit()
    other.succeeded()
    assert one.admit() >= 0


def test_a_probe_that_fails_means_a_longer_rest(either: Database) -> None:
    clock = Clock()
    one, _ = gates(either, clock)
    for _ in range(FAILURES):
        one.admit()
        one.failed()
        clock.now += 1
    clock.now += 15
    one.admit()
    one.failed()
    clock.now += 20
    with pytest.raises(TryLater):
        one.admit()
    clock.now += 11
    one.admit()


def _take(url: str, results: multiprocessing.Queue[float]) -> None:
    clock = Clock()
    own = Database(url, Sealer([KEY]))
    gate = DatabaseGate(own, "pds:x", clock=clock)
    for _ in range(3):
        results.put(clock.now + gate.admit())
    own.close()


def test_processes_of_their_own_share_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    made = Database(url, Sealer([KEY]))
    made.migrate()
    made.close()
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[float] = context.Queue()
    processes = [context.Process(target=_take, args=(url, results)) for _ in range(2)]
    for process in processes:
        process.start()
    starts = sorted(results.get(timeout=60) for _ in range(6))
    for process in processes:
        process.join(timeout=30)
    assert starts == [pytest.approx(1_000_000 + 0.25 * i) for i in range(6)]
