"""The steps as the engine runs them: nothing that goes wrong escapes with data of patients."""

from __future__ import annotations

import pytest

from fhir_gateway.delivery import steps
from fhir_gateway.delivery.engine import GIVE_UP, STEPS
from fhir_gateway.delivery.steps import UNFORESEEN_TRIES, bind
from fhir_gateway.errors import Defect
from fhir_gateway.store.requests import RequestState
from tests.delivery.conftest import World


def break_step(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setitem(steps._FUNCTIONS, "trace", broken)


def test_the_steps_lead_from_accepted_to_confirmed(world: World) -> None:
    request_id = world.accepted()
    bound = bind(world.parts)
    assert tuple(bound) == STEPS
    assert [bound[name](request_id, 0) for name in STEPS] == [None] * 4
    assert world.state(request_id) is RequestState.CONFIRMED


@pytest.mark.hazard("H01")
def test_what_nobody_foresaw_is_tried_again_and_then_shown_to_a_person(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = world.accepted()
    break_step(monkeypatch, RuntimeError("Canary 9990001006"))
    step = bind(world.parts)["trace"]
    for tries in range(UNFORESEEN_TRIES):
        wait = step(request_id, tries)
        assert wait is not None
        assert wait > 0
    assert step(request_id, UNFORESEEN_TRIES) == GIVE_UP
    assert world.state(request_id) is RequestState.NEEDS_ATTENTION
    assert world.events(request_id)[-1] == ("needs-attention", "trace: RuntimeError")


def test_a_defect_is_shown_to_a_person_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    request_id = world.accepted()
    break_step(monkeypatch, Defect("The mapping x is not there.", code="no-mapping"))
    assert bind(world.parts)["trace"](request_id, 0) == GIVE_UP
    assert world.events(request_id)[-1][1] == "trace: The mapping x is not there."


@pytest.mark.hazard("H08")
def test_the_text_of_an_error_is_not_logged(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from fhir_gateway import logs

    logs.configure("json")
    request_id = world.accepted()
    break_step(monkeypatch, ValueError("Canary 9990001006"))
    bind(world.parts)["trace"](request_id, 0)
    logged = capsys.readouterr()
    assert "step failed" in logged.out
    assert "ValueError" in logged.out
    assert "Canary" not in logged.out + logged.err
