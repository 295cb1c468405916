"""Sending once, whatever happens on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from fhir_gateway.delivery import gate
from fhir_gateway.delivery.engine import GIVE_UP
from fhir_gateway.delivery.send import send
from fhir_gateway.errors import OutcomeUnknown, Refused, TryLater
from fhir_gateway.provider.endpoint import RepeatMode
from fhir_gateway.store import attempts, gates
from fhir_gateway.store.requests import RequestState
from tests.delivery.scripted.conftest import World


def silence() -> None:
    raise OutcomeUnknown("silence", code="epr-silent")


def refusing(error: Exception) -> Callable[[], None]:
    def step() -> None:
        raise error

    step.before = True  # type: ignore[attr-defined]
    return step


def open_attempts(world: World, request_id: str) -> int:
    with world.database.transaction() as tx:
        return len(attempts.unresolved(tx, request_id))


def test_a_request_is_sent_and_what_it_became_is_kept(world: World) -> None:
    request_id = world.request()
    assert send(world.parts, request_id, 0) is None
    assert world.state(request_id) is RequestState.DELIVERED
    assert open_attempts(world, request_id) == 0
    assert send(world.parts, request_id, 0) is None
    assert world.epr.taken == [request_id]


def test_after_silence_nobody_looks_before_the_settle_time_and_then_it_is_found(
    world: World,
) -> None:
    request_id = world.request()
    world.epr.script = [silence]
    wait = send(world.parts, request_id, 0)
    assert wait == pytest.approx(60, abs=1)
    world.clock.forward(seconds=30)
    assert send(world.parts, request_id, 1) == pytest.approx(30, abs=1)
    assert world.epr.looked == 0
    world.clock.forward(seconds=31)
    assert send(world.parts, request_id, 2) is None
    assert (world.epr.looked, world.epr.taken) == (1, [request_id])
    assert world.state(request_id) is RequestState.DELIVERED


def test_after_silence_what_did_not_arrive_is_sent_again(world: World) -> None:
    request_id = world.request()
    world.epr.script = [refusing(OutcomeUnknown("silence", code="epr-silent"))]
    send(world.parts, request_id, 0)
    world.clock.forward(seconds=61)
    assert send(world.parts, request_id, 1) is None
    assert (world.epr.looked, world.epr.taken) == (1, [request_id])


def test_a_process_that_was_slow_to_note_the_silence_asks_nobody(world: World) -> None:
    request_id = world.request()

    def late() -> None:
        # The database was busy for longer than the settle time before the outcome was kept.
        world.clock.forward(seconds=90)
        raise OutcomeUnknown("silence", code="epr-silent")

    world.epr.script = [late]
    wait = send(world.parts, request_id, 0)
    assert wait is not None
    assert wait >= 0
    assert world.state(request_id) is RequestState.MAPPED
    assert send(world.parts, request_id, 1) is None
    assert world.epr.taken == [request_id]


@pytest.mark.parametrize("mode", [RepeatMode.CONDITIONAL_CREATE, RepeatMode.PUT_BY_CLIENT_ID])
def test_where_a_repeat_is_harmless_nobody_looks(world: World, mode: RepeatMode) -> None:
    world.epr.mode = mode
    request_id = world.request()
    world.epr.script = [silence]
    send(world.parts, request_id, 0)
    world.clock.forward(seconds=61)
    assert send(world.parts, request_id, 1) is None
    assert world.epr.looked == 0
    assert world.state(request_id) is RequestState.DELIVERED


def test_where_nobody_can_look_a_person_must_and_nothing_is_sent_again(world: World) -> None:
    world.epr.mode = RepeatMode.OPERATOR_CHECK
    request_id = world.request()
    world.epr.script = [silence]
    send(world.parts, request_id, 0)
    world.clock.forward(seconds=61)
    assert send(world.parts, request_id, 1) == GIVE_UP
    assert world.state(request_id) is RequestState.NEEDS_ATTENTION
    assert "outcome-unknown" in world.events(request_id)[-1]
    assert world.epr.taken == [request_id]


def test_where_looking_is_refused_a_person_is_told_that_it_may_be_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = world.request()
    world.epr.script = [silence]
    send(world.parts, request_id, 0)
    world.clock.forward(seconds=61)

    def refused(*_: object) -> None:
        raise Refused("The EPR answered 403 (forbidden)", code="epr-403")

    monkeypatch.setattr(world.epr, "find", refused)
    assert send(world.parts, request_id, 1) == GIVE_UP
    assert world.events(request_id)[-1] == (
        "needs-attention outcome-unknown: It may be in the EPR, and looking for it there failed: "
        "The EPR answered 403 (forbidden)"
    )
    assert world.epr.taken == [request_id]


def test_a_definite_no_needs_a_person(world: World) -> None:
    request_id = world.request()
    world.epr.script = [refusing(Refused("The EPR answered 422 (invalid)", code="epr-422"))]
    assert send(world.parts, request_id, 0) == GIVE_UP
    assert world.events(request_id)[-1].startswith("needs-attention epr-422")
    assert open_attempts(world, request_id) == 0


def test_a_neighbour_that_asks_for_patience_gets_it_from_everybody(world: World) -> None:
    first, second = world.request(), world.request()
    world.epr.script = [refusing(TryLater("busy", code="epr-429", after=120))]
    wait = send(world.parts, first, 0)
    assert wait is not None
    assert 120 <= wait < 125
    other = send(world.parts, second, 0)
    assert other is not None
    assert other > 100
    assert world.epr.taken == []


def test_what_stood_still_between_intent_and_post_does_not_leave(world: World) -> None:
    request_id = world.request()
    world.epr.before_take = lambda: world.clock.forward(seconds=11)
    wait = send(world.parts, request_id, 0)
    assert wait is not None
    assert world.epr.taken == []
    assert world.events(request_id)[-1] == "send-delayed fenced"


def test_two_processes_never_have_the_same_request_on_its_way(world: World) -> None:
    request_id = world.request()
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        entered.set()
        assert leave.wait(20)

    world.epr.before_take = hold
    first = threading.Thread(target=send, args=(world.parts, request_id, 0))
    first.start()
    assert entered.wait(20)
    wait = send(world.parts, request_id, 0)
    assert wait is not None
    assert wait > 50
    leave.set()
    first.join()
    assert world.epr.taken == [request_id]


def test_the_circuit_opens_after_failures_and_one_call_is_the_probe(world: World) -> None:
    ids = [world.request() for _ in range(7)]
    world.epr.script = [refusing(TryLater("away", code="epr-unreachable")) for _ in range(5)]
    for request_id in ids[:5]:
        send(world.parts, request_id, 0)
    wait = send(world.parts, ids[5], 0)
    assert wait is not None
    assert wait >= 30
    world.clock.forward(seconds=31)
    world.epr.script = [refusing(TryLater("away", code="epr-unreachable"))]
    assert send(world.parts, ids[5], 0) is not None
    assert send(world.parts, ids[6], 0) is not None
    assert world.epr.taken == []
    world.clock.forward(seconds=31)
    assert send(world.parts, ids[5], 0) is None
    assert send(world.parts, ids[6], 0) is None


def test_what_is_paused_waits_and_goes_on_when_it_is_resumed(world: World) -> None:
    request_id = world.request()
    with world.database.transaction() as tx:
        name = gate.epr_name(world.parts.service(tx, "rheumatology"))
        gates.pause(tx, name, "ann: works", now=world.clock())
    assert send(world.parts, request_id, 0) is not None
    assert world.epr.taken == []
    with world.database.transaction() as tx:
        assert gates.resume(tx, name, now=world.clock())
    assert send(world.parts, request_id, 0) is None


def test_no_more_leave_at_once_than_the_epr_may_get(world: World) -> None:
    with world.database.transaction() as tx:
        name = gate.epr_name(world.parts.service(tx, "rheumatology"))
    others = [world.request() for _ in range(8)]
    with world.database.transaction() as tx:
        for other in others:
            attempts.open_attempt(tx, other, name, now=world.clock())
    assert send(world.parts, world.request(), 0) is not None
    assert world.epr.taken == []
    # What a dead process had on its way does not take up places for ever.
    world.clock.forward(seconds=31)
    assert send(world.parts, world.request(), 0) is None
