"""Many requests of one patient at once make one Patient in an EPR without conditional create."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from fhir_gateway.delivery.announce import announce
from fhir_gateway.delivery.mapping import map_request
from fhir_gateway.delivery.send import send
from fhir_gateway.delivery.timing import DEFAULT
from fhir_gateway.delivery.trace import trace
from fhir_gateway.store import attempts
from fhir_gateway.store.requests import RequestState
from tests.delivery.conftest import World

NUMBER = "9990001006"
EPR = "epr:https://epr.example/fhir"


def mapped(world: World) -> str:
    """A request that is ready to be sent."""
    request_id = world.accepted()
    assert trace(world.parts, request_id, 0) is None
    assert map_request(world.parts, request_id, 0) is None
    return request_id


def until_sent(world: World, request_id: str) -> None:
    """Deliver it, as one of many processes."""
    deadline = time.monotonic() + 60
    while (wait := send(world.parts, request_id, 0)) is not None:
        assert time.monotonic() < deadline
        time.sleep(min(wait, 0.2))


def test_processes_that_send_one_request_at_once_send_it_once(world: World) -> None:
    httpx.put(f"{world.epr.removesuffix('/fhir')}/faults/forgets-if-none-exist").raise_for_status()
    for _ in range(4):
        request_id = mapped(world)
        with ThreadPoolExecutor(6) as threads:
            list(threads.map(lambda _, one=request_id: until_sent(world, one), range(6)))
        assert len(world.at_epr("Task", request_id)) == 1
        assert [state for state, _ in world.events(request_id)].count("delivered") == 1


def test_the_second_waits_until_the_first_has_arrived(world: World) -> None:
    first, second = mapped(world), mapped(world)
    sent = announce(world.parts, first, EPR, nhs_number=NUMBER)
    assert sent.attempt_id
    waiting = announce(world.parts, second, EPR, nhs_number=NUMBER)
    assert waiting.attempt_id is None
    assert waiting.wait
    with world.gateway.database.transaction() as tx:
        attempts.resolve(tx, sent.attempt_id, attempts.DELIVERED, now=world.parts.clock())
    assert announce(world.parts, second, EPR, nhs_number=NUMBER).attempt_id


def test_once_the_epr_has_the_patient_nobody_waits(world: World) -> None:
    first, second, third = mapped(world), mapped(world), mapped(world)
    sent = announce(world.parts, first, EPR, nhs_number=NUMBER)
    with world.gateway.database.transaction() as tx:
        attempts.resolve(tx, sent.attempt_id, attempts.DELIVERED, now=world.parts.clock())
    assert announce(world.parts, second, EPR, nhs_number=NUMBER).attempt_id
    assert announce(world.parts, third, EPR, nhs_number=NUMBER).attempt_id


@pytest.mark.parametrize("number", ["9990001014", ""])
def test_others_do_not_wait(world: World, number: str) -> None:
    first, second = mapped(world), mapped(world)
    assert announce(world.parts, first, EPR, nhs_number=NUMBER).attempt_id
    assert announce(world.parts, second, EPR, nhs_number=number).attempt_id


def test_nor_does_another_epr(world: World) -> None:
    first, second = mapped(world), mapped(world)
    assert announce(world.parts, first, EPR, nhs_number=NUMBER).attempt_id
    assert announce(world.parts, second, f"{EPR}/2", nhs_number=NUMBER).attempt_id


def test_one_whose_outcome_nobody_learns_does_not_keep_others_for_ever(world: World) -> None:
    first, second = mapped(world), mapped(world)
    assert announce(world.parts, first, EPR, nhs_number=NUMBER).attempt_id
    world.ahead = DEFAULT.settle + timedelta(seconds=1)
    assert announce(world.parts, second, EPR, nhs_number=NUMBER).attempt_id


def test_requests_that_leave_at_once_join_one_patient(world: World) -> None:
    httpx.put(f"{world.epr.removesuffix('/fhir')}/faults/forgets-if-none-exist").raise_for_status()
    waiting = [mapped(world) for _ in range(6)]

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda one: until_sent(world, one), waiting))
    assert {world.state(request_id) for request_id in waiting} == {RequestState.DELIVERED}
    found = httpx.get(
        f"{world.epr}/Patient",
        params={"identifier": f"https://fhir.nhs.uk/Id/nhs-number|{NUMBER}"},
    ).json()
    assert found["total"] == 1
