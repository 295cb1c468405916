"""An EPR that answers as if it had a request, and never shows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import respx

from fhir_gateway.delivery import alarms, replay
from fhir_gateway.delivery.claims import MOST
from fhir_gateway.delivery.engine import GIVE_UP
from fhir_gateway.delivery.mapping import map_request
from fhir_gateway.delivery.send import send
from fhir_gateway.delivery.timing import DEFAULT
from fhir_gateway.delivery.trace import trace
from fhir_gateway.store import alarms as kept_alarms
from fhir_gateway.store.requests import RequestState
from tests.delivery.conftest import World

LOOKED_UP = r"/(metadata|Patient|ServiceRequest|Task|Communication)\b"


class NoEngine:
    """Enqueues nothing: the test runs the steps."""

    def enqueue(self, *_: Any) -> None:
        """See Engine."""


def mapped(world: World) -> str:
    request_id = world.accepted()
    assert trace(world.parts, request_id, 0) is None
    assert map_request(world.parts, request_id, 0) is None
    world.parts.eprs.at(world.epr).media_type()
    return request_id


def until_it_ends(world: World, request_id: str, tries: int = 12) -> float | None:
    """Try again and again, as the engine does, each time when the wait is over."""
    wait: float | None = 0.0
    for number in range(tries):
        wait = send(world.parts, request_id, number)
        if wait is None or wait < 0:
            return wait
        world.ahead += max(timedelta(seconds=wait + 1), DEFAULT.settle)
    return wait


ANSWERS: list[Callable[[respx.Route], Any]] = [
    lambda route: route.respond(200, html="<h1>Welcome</h1>"),
    lambda route: route.respond(204),
    lambda route: route.respond(
        200,
        json={
            "resourceType": "OperationOutcome",
            "issue": [{"severity": "error", "code": "exception"}],
        },
        headers={"Content-Type": "application/fhir+json"},
    ),
]


@pytest.mark.hazard("H02")
@pytest.mark.parametrize("answer", ANSWERS, ids=["a page", "nothing", "an error"])
def test_it_gets_the_request_a_few_times_then_a_person_is_asked(
    world: World, answer: Callable[[respx.Route], Any]
) -> None:
    request_id = mapped(world)
    with respx.mock(assert_all_called=False) as router:
        router.get(url__regex=LOOKED_UP).pass_through()
        route = router.post(world.epr)
        answer(route)
        assert until_it_ends(world, request_id) == GIVE_UP
        assert route.call_count == MOST
    assert world.state(request_id) is RequestState.NEEDS_ATTENTION
    assert world.events(request_id)[-1][1].startswith("outcome-unknown: ")
    alarms.review(world.parts)
    with world.gateway.database.transaction() as tx:
        kinds = {(alarm.subject, alarm.kind) for alarm in kept_alarms.standing(tx)}
    assert ("rheumatology", alarms.NEEDS_ATTENTION) in kinds


@pytest.mark.hazard("H02")
def test_a_person_can_let_it_go_on(world: World) -> None:
    request_id = mapped(world)
    with respx.mock(assert_all_called=False) as router:
        router.get(url__regex=LOOKED_UP).pass_through()
        router.post(world.epr).respond(204)
        until_it_ends(world, request_id)
    assert replay.resolve(world.parts, NoEngine(), request_id, None, who="ann", why="not there")
    assert send(world.parts, request_id, 0) is None
    assert len(world.at_epr("Task", request_id)) == 1


@pytest.mark.hazard("H01")
def test_silence_is_no_claim(world: World) -> None:
    request_id = mapped(world)
    with respx.mock(assert_all_called=False) as router:
        router.get(url__regex=LOOKED_UP).pass_through()
        router.post(world.epr).respond(502)
        wait = until_it_ends(world, request_id)
    assert wait is not None
    assert wait > 0
    assert world.state(request_id) is RequestState.MAPPED
