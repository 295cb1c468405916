"""The engine and its watch: real workflows, in this process, on both databases."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import respx

from fhir_gateway.app import Worker
from fhir_gateway.delivery.duties import Duties
from fhir_gateway.delivery.processes import NOWHERE
from fhir_gateway.delivery.steps import bind
from fhir_gateway.delivery.timing import DEFAULT
from fhir_gateway.delivery.watch import Watch
from fhir_gateway.store import requests, workers
from fhir_gateway.store.requests import RequestState
from tests.delivery.conftest import World

PATIENCE = 60.0
SILENCE, STALE = DEFAULT.silence, DEFAULT.stale


def until(holds: Callable[[], bool]) -> None:
    """Wait for what happens in another thread."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def working(world: World) -> Iterator[World]:
    """A gateway whose engine delivers; nothing watches it but the test."""
    engine = world.gateway.engine
    world.parts.eprs.at(world.epr).media_type()
    engine.work(bind(world.parts), "test-worker")
    yield world
    engine.stop()


def enqueue(world: World, request_id: str, suffix: str = "") -> None:
    with world.gateway.database.transaction() as tx:
        world.gateway.engine.enqueue(tx, request_id, "rheumatology", suffix)


def watch(world: World, executor_id: str = "test-worker") -> Watch:
    return Watch(world.parts, world.gateway.engine, executor_id, Duties())


def confirmed(world: World, request_id: str) -> Callable[[], bool]:
    return lambda: world.state(request_id) is RequestState.CONFIRMED


def test_what_is_enqueued_is_delivered_once_however_often_it_is_enqueued(working: World) -> None:
    request_id = working.accepted()
    enqueue(working, request_id)
    enqueue(working, request_id)
    until(confirmed(working, request_id))
    assert len(working.at_epr("Task", request_id)) == 1
    moves = [state for state, _ in working.events(request_id)]
    assert moves == ["accepted", "traced", "mapped", "delivered", "confirmed"]
    assert request_id not in working.gateway.engine.live()


@pytest.mark.hazard("H01")
def test_what_has_to_wait_is_live_and_goes_on_by_itself(working: World) -> None:
    request_id = working.accepted()
    with respx.mock(assert_all_called=False) as router:
        router.route(url__startswith=working.phone).pass_through()
        router.route(url__startswith=str(working.parts.pds._http.base_url)).pass_through()
        router.get(url__regex=r"/(metadata|Patient)\b").pass_through()
        busy = router.post(working.epr).mock(side_effect=httpx.ConnectError)
        enqueue(working, request_id)
        until(lambda: busy.called)
        assert request_id in working.gateway.engine.live()
    until(confirmed(working, request_id))
    assert len(working.at_epr("Task", request_id)) == 1


@pytest.mark.hazard("H01")
def test_a_request_that_nothing_works_on_is_found_and_delivered(working: World) -> None:
    request_id = working.accepted()
    watching = watch(working)
    assert watching.reconcile() == 0
    working.ahead = STALE + timedelta(minutes=1)
    assert watching.reconcile() == 1
    until(confirmed(working, request_id))
    assert ("requeued", "") in working.events(request_id)
    working.ahead *= 3
    assert watching.reconcile() == 0


@pytest.mark.hazard("H01")
def test_a_request_that_waits_is_not_taken_for_lost(working: World) -> None:
    request_id = working.accepted()
    with respx.mock(assert_all_called=False) as router:
        router.route(url__startswith=working.phone).pass_through()
        router.route(url__startswith=str(working.parts.pds._http.base_url)).pass_through()
        router.get(url__regex=r"/(metadata|Patient)\b").pass_through()
        answer = httpx.Response(503, headers={"Retry-After": "3000"})
        router.post(working.epr).mock(return_value=answer)
        enqueue(working, request_id)
        until(lambda: ("send-delayed", "epr-503") in working.events(request_id))
    until(lambda: request_id in working.gateway.engine.live())
    working.ahead = STALE + timedelta(minutes=1)
    assert watch(working).reconcile() == 0


def test_only_what_is_not_in_the_epr_is_enqueued_again(working: World) -> None:
    request_id = working.accepted()
    with working.gateway.database.transaction() as tx:
        requests.move(
            tx, request_id, RequestState.NEEDS_ATTENTION, now=working.parts.clock(), detail="x"
        )
    working.ahead = STALE + timedelta(minutes=1)
    assert watch(working).reconcile() == 0


def test_a_round_beats_and_takes_over_from_the_silent(working: World) -> None:
    now = working.parts.clock()
    with working.gateway.database.transaction() as tx:
        workers.beat(tx, "dead", NOWHERE, now=now - SILENCE - timedelta(seconds=1))
        workers.beat(tx, "alive", NOWHERE, now=now)
    watch(working).round()
    with working.gateway.database.transaction() as tx:
        known = workers.others(tx, "nobody")
    assert sorted(worker.executor_id for worker in known) == ["alive", "test-worker"]


def test_now_and_then_it_reconciles(working: World) -> None:
    request_id = working.accepted()
    watching = watch(working)
    working.ahead = STALE + timedelta(minutes=1)
    watching.look_after()
    until(confirmed(working, request_id))


def test_a_worker_that_leaves_in_order_is_not_waited_for(world: World) -> None:
    worker = Worker(world.gateway)
    worker.start()
    request_id = world.accepted()
    enqueue(world, request_id)
    until(confirmed(world, request_id))
    worker.stop()
    with world.gateway.database.transaction() as tx:
        (left,) = workers.others(tx, "nobody")
    # What it may have had in hand is free for others at once.
    assert left.beat_at < world.parts.clock() - timedelta(days=1)


@pytest.mark.hazard("H01")
def test_the_watch_survives_a_round_that_fails(
    working: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    timing = replace(DEFAULT, beat=timedelta(milliseconds=10))
    parts = replace(working.parts, timing=timing)
    watching = Watch(parts, working.gateway.engine, "test-worker", Duties())
    rounds: list[int] = []

    def fail() -> None:
        rounds.append(1)
        raise RuntimeError("database lost")

    monkeypatch.setattr(watching, "round", fail)
    watching.start()
    until(lambda: len(rounds) > 1)
    watching.stop()
