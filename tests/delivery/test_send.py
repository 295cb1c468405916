"""Sending: one transaction to the EPR, once, whatever the EPR does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
import respx

from fhir_gateway.delivery.engine import GIVE_UP
from fhir_gateway.delivery.mapping import map_request
from fhir_gateway.delivery.send import send
from fhir_gateway.delivery.timing import DEFAULT
from fhir_gateway.delivery.trace import trace
from fhir_gateway.store import attempts, requests
from fhir_gateway.store.requests import RequestState
from tests.delivery.conftest import World

SETTLE = DEFAULT.settle
#: What an adapter asks the EPR before it sends.
LOOKED_UP = r"/(metadata|Patient)\b"


@pytest.fixture
def mapped(world: World) -> str:
    """A request that is ready to be sent."""
    request_id = world.accepted()
    assert trace(world.parts, request_id, 0) is None
    assert map_request(world.parts, request_id, 0) is None
    # What /metadata says is kept; the tests are about what comes after.
    world.parts.eprs.at(world.epr).media_type()
    return request_id


@pytest.fixture
def faults() -> Iterator[respx.MockRouter]:
    """Faults that no real server produces on demand; what is not named reaches the EPR."""
    with respx.mock(assert_all_called=False) as router:
        router.get(url__regex=LOOKED_UP).pass_through()
        yield router
        router.stop()


def outcomes(world: World, request_id: str) -> list[str]:
    with world.gateway.database.transaction() as tx:
        return [attempt.outcome for attempt in attempts.history(tx, request_id)]


def test_a_request_arrives_with_all_that_belongs_to_it(world: World, mapped: str) -> None:
    assert send(world.parts, mapped, 0) is None
    sent = world.request(mapped)
    assert sent.state is RequestState.DELIVERED
    kinds = {reference.partition("/")[0] for reference in sent.delivered_as}
    assert {"ServiceRequest", "Task", "Patient", "QuestionnaireResponse"} <= kinds
    (task,) = world.at_epr("Task", mapped)
    assert f"Task/{task['id']}" in sent.delivered_as
    assert outcomes(world, mapped) == ["delivered"]


@pytest.mark.hazard("H02")
def test_sending_again_does_nothing(world: World, mapped: str) -> None:
    send(world.parts, mapped, 0)
    assert send(world.parts, mapped, 1) is None
    assert len(world.at_epr("Task", mapped)) == 1
    assert outcomes(world, mapped) == ["delivered"]


@pytest.mark.parametrize("request_id", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_what_is_not_there_is_not_sent(world: World, request_id: str) -> None:
    assert send(world.parts, request_id, 0) is None


@pytest.mark.hazard("H02")
@pytest.mark.parametrize("arrived", [True, False], ids=["it had arrived", "it had not"])
def test_after_silence_the_epr_is_searched_before_anything_is_sent_again(
    world: World, mapped: str, arrived: bool
) -> None:
    if arrived:
        # The EPR does the work, and its answer gets lost.
        bundle = world.request(mapped).bundle
        httpx.post(world.epr, json=bundle).raise_for_status()
    with respx.mock(assert_all_called=False) as router:
        router.get(url__regex=LOOKED_UP).pass_through()
        router.post(world.epr).mock(side_effect=httpx.ReadTimeout)
        assert send(world.parts, mapped, 0) == pytest.approx(SETTLE.total_seconds(), abs=2)
    assert world.state(mapped) is RequestState.MAPPED
    assert world.events(mapped)[-1] == ("send-delayed", "epr-silent")
    early = send(world.parts, mapped, 1)
    assert early is not None
    assert 0 < early <= SETTLE.total_seconds()
    world.ahead = SETTLE + timedelta(seconds=1)
    assert send(world.parts, mapped, 2) is None
    assert world.state(mapped) is RequestState.DELIVERED
    assert len(world.at_epr("Task", mapped)) == 1
    assert outcomes(world, mapped) == (["found"] if arrived else ["not-found", "delivered"])


@pytest.mark.hazard("H02")
def test_a_process_that_ends_between_finding_and_keeping_leaves_no_double(
    world: World, mapped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = world.request(mapped).bundle
    httpx.post(world.epr, json=bundle).raise_for_status()
    with respx.mock(assert_all_called=False) as router:
        router.get(url__regex=LOOKED_UP).pass_through()
        router.post(world.epr).mock(side_effect=httpx.ReadTimeout)
        send(world.parts, mapped, 0)
    world.ahead = SETTLE + timedelta(seconds=1)

    def killed(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(requests, "save_delivered_as", killed)
        with pytest.raises(SystemExit):
            send(world.parts, mapped, 1)
    assert outcomes(world, mapped) == [""]
    assert send(world.parts, mapped, 2) is None
    assert len(world.at_epr("Task", mapped)) == 1
    assert outcomes(world, mapped) == ["found"]


@pytest.mark.hazard("H02")
@pytest.mark.parametrize("status", [500, 502, 504])
def test_an_error_of_the_epr_leaves_the_outcome_open(
    world: World, mapped: str, faults: respx.MockRouter, status: int
) -> None:
    faults.post(world.epr).respond(status)
    assert send(world.parts, mapped, 0) == pytest.approx(SETTLE.total_seconds(), abs=2)
    assert outcomes(world, mapped) == [""]


@pytest.mark.hazard("H02")
def test_a_success_that_says_nothing_leaves_the_outcome_open(
    world: World, mapped: str, faults: respx.MockRouter
) -> None:
    faults.post(world.epr).respond(200, html="<h1>Welcome</h1>")
    assert send(world.parts, mapped, 0) == pytest.approx(SETTLE.total_seconds(), abs=2)
    assert world.events(mapped)[-1] == ("send-delayed", "epr-no-response")
    assert outcomes(world, mapped) == [""]


@pytest.mark.hazard("H02")
def test_a_search_without_an_answer_does_not_send_again(
    world: World, mapped: str, faults: respx.MockRouter
) -> None:
    post = faults.post(world.epr).mock(side_effect=httpx.ReadTimeout)
    faults.get(url__startswith=f"{world.epr}/ServiceRequest").respond(200, html="<h1>Sign in</h1>")
    send(world.parts, mapped, 0)
    world.ahead = SETTLE + timedelta(seconds=1)
    wait = send(world.parts, mapped, 1)
    assert wait is not None
    assert wait > 0
    assert post.call_count == 1
    assert world.events(mapped)[-1] == ("send-delayed", "epr-not-fhir")


@pytest.mark.hazard("H01")
def test_an_epr_that_is_busy_is_asked_again_when_it_wants_to(
    world: World, mapped: str, faults: respx.MockRouter
) -> None:
    faults.post(world.epr).respond(429, headers={"Retry-After": "600"})
    wait = send(world.parts, mapped, 0)
    assert wait is not None
    assert wait >= 600
    assert outcomes(world, mapped) == ["epr-429"]
    assert world.state(mapped) is RequestState.MAPPED


@pytest.mark.hazard("H01")
def test_an_epr_that_is_down_is_tried_for_as_long_as_it_takes(
    world: World, mapped: str, faults: respx.MockRouter
) -> None:
    faults.post(world.epr).mock(side_effect=httpx.ConnectError)
    waits = [send(world.parts, mapped, tries) for tries in (0, 1, 5, 500)]
    assert all(wait is not None and 0 < wait <= 900 for wait in waits)
    assert world.state(mapped) is RequestState.MAPPED
    faults.post(world.epr).pass_through()
    assert send(world.parts, mapped, 501) is None
    assert world.state(mapped) is RequestState.DELIVERED


@pytest.mark.hazard("H01")
@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_an_epr_that_says_no_asks_for_a_person_and_nothing_is_lost(
    world: World, mapped: str, faults: respx.MockRouter, status: int
) -> None:
    faults.post(world.epr).respond(status)
    assert send(world.parts, mapped, 0) == GIVE_UP
    kept = world.request(mapped)
    assert kept.state is RequestState.NEEDS_ATTENTION
    assert kept.bundle is not None
    assert f"answered {status}" in world.events(mapped)[-1][1]
    assert outcomes(world, mapped) == [f"epr-{status}"]


@pytest.mark.hazard("H02")
def test_each_try_sends_the_same_bytes(world: World, mapped: str, faults: respx.MockRouter) -> None:
    route = faults.post(world.epr).respond(503)
    for tries in range(3):
        send(world.parts, mapped, tries)
    assert len({call.request.content for call in route.calls}) == 1
    assert {call.request.headers["x-request-id"] for call in route.calls} == {mapped}
