"""Deadlines and dead letters of the steps."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from fhir_gateway.delivery import backoff, steps
from fhir_gateway.delivery.engine import GIVE_UP
from fhir_gateway.delivery.timing import Timing, problems
from fhir_gateway.errors import TryLater
from fhir_gateway.store.requests import RequestState
from tests.delivery.scripted.conftest import World
from tests.delivery.scripted.test_send import refusing


def test_sending_is_tried_for_seven_days_and_then_needs_a_person(world: World) -> None:
    request_id = world.request()
    run = steps.bind(world.parts)["send"]
    world.clock.forward(days=6, hours=23)
    world.epr.script = [refusing(TryLater("away", code="epr-unreachable"))] * 2
    wait = run(request_id, 5)
    assert wait is not None
    assert wait > 0
    world.clock.forward(hours=2)
    assert run(request_id, 6) == GIVE_UP
    assert world.state(request_id) is RequestState.NEEDS_ATTENTION
    assert "expired" in world.events(request_id)[-1]


def test_what_nobody_foresaw_is_tried_again_and_then_needs_a_person(world: World) -> None:
    request_id = world.request()

    def bug() -> None:
        raise ZeroDivisionError

    bug.before = True  # type: ignore[attr-defined]
    world.epr.script = [bug]
    run = steps.bind(world.parts)["send"]
    wait = run(request_id, 0)
    assert wait is not None
    assert wait > 0
    world.clock.forward(minutes=2)
    world.epr.script = [bug]
    assert run(request_id, 8) == GIVE_UP
    assert "unforeseen: send: ZeroDivisionError" in world.events(request_id)[-1]


def test_a_poison_request_does_not_block_others(world: World) -> None:
    poison, other = world.request(), world.request()
    world.epr.script = [refusing(ZeroDivisionError())]
    run = steps.bind(world.parts)["send"]
    run(poison, 0)
    assert run(other, 0) is None


def test_waits_are_jittered_capped_and_longer_where_a_neighbour_asks() -> None:
    rng = random.Random(7)
    waits = [backoff.wait(30, after=None, rng=rng) for _ in range(200)]
    assert max(waits) <= 900
    assert min(waits) < 100  # full jitter
    assert all(backoff.wait(0, after=50.0, rng=rng) >= 50 for _ in range(50))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"silence": timedelta(seconds=6)}, "silence"),
        ({"freeze": timedelta(seconds=30)}, "freeze"),
        ({"settle": timedelta(seconds=30)}, "settle"),
        ({"alarm_after": timedelta(hours=5)}, "alarm_after"),
        ({"beat": timedelta(0)}, "beat"),
    ],
)
def test_times_that_do_not_hang_together_are_named(
    changes: dict[str, timedelta], named: str
) -> None:
    assert list(problems(Timing())) == []
    assert named in {name for name, _ in problems(Timing(**changes))}
