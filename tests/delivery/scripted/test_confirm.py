"""One text with the reference; it never fails a request."""

from __future__ import annotations

import pytest

from fhir_gateway.delivery.confirm import confirm
from fhir_gateway.errors import OutcomeUnknown, Refused, TryLater
from fhir_gateway.store.requests import RequestState
from tests.delivery.scripted.conftest import World


def delivered(world: World) -> str:
    return world.request(RequestState.DELIVERED)


def test_a_text_goes_out_once(world: World) -> None:
    request_id = delivered(world)
    assert confirm(world.parts, request_id, 0) is None
    assert confirm(world.parts, request_id, 0) is None
    assert world.phone.sent == [f"{request_id}:confirmation"]
    assert world.state(request_id) is RequestState.CONFIRMED


def test_after_silence_it_settles_is_looked_for_and_not_sent_again(world: World) -> None:
    request_id = delivered(world)
    world.phone.script = [OutcomeUnknown("silence", code="notify-silent")]
    assert confirm(world.parts, request_id, 0) == pytest.approx(45)
    assert confirm(world.parts, request_id, 1) == pytest.approx(45)
    world.clock.forward(seconds=46)
    assert confirm(world.parts, request_id, 2) is None
    assert world.phone.sent == [f"{request_id}:confirmation"]


def test_after_silence_a_text_that_never_left_is_sent_again(world: World) -> None:
    request_id = delivered(world)
    world.phone.loses = True
    world.phone.script = [OutcomeUnknown("silence", code="notify-silent")]
    confirm(world.parts, request_id, 0)
    world.clock.forward(seconds=46)
    assert confirm(world.parts, request_id, 1) is None
    assert world.phone.sent == [f"{request_id}:confirmation"]


def test_what_was_surely_not_sent_is_sent_without_waiting_for_it_to_settle(world: World) -> None:
    request_id = delivered(world)
    world.phone.loses = True
    world.phone.script = [TryLater("busy", code="notify-429")]
    wait = confirm(world.parts, request_id, 0)
    assert wait is not None
    assert wait < 10
    assert confirm(world.parts, request_id, 1) is None
    assert len(world.phone.sent) == 1


def test_a_refused_text_fails_nothing(world: World) -> None:
    request_id = delivered(world)
    world.phone.loses = True
    world.phone.script = [Refused("bad number", code="notify-400")]
    assert confirm(world.parts, request_id, 0) is None
    assert world.state(request_id) is RequestState.CONFIRMED
    assert world.events(request_id)[-1] == "confirmed notify-400"


def test_a_confirmation_that_is_a_day_late_is_let_go(world: World) -> None:
    request_id = delivered(world)
    world.phone.loses = True
    world.phone.script = [TryLater("away", code="notify-unreachable")] * 2
    confirm(world.parts, request_id, 0)
    world.clock.forward(hours=25)
    assert confirm(world.parts, request_id, 1) is None
    assert world.events(request_id)[-1] == "confirmed too-late"
