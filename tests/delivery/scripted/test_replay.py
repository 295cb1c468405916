"""What a person decides about a request that needs attention, and that it is recorded who."""

from __future__ import annotations

import pytest

from fhir_gateway.delivery import replay
from fhir_gateway.delivery.send import send
from fhir_gateway.errors import OutcomeUnknown, Refused
from fhir_gateway.provider.endpoint import RepeatMode
from fhir_gateway.store import requests
from fhir_gateway.store.requests import RequestState
from tests.delivery.scripted.conftest import Recorder, World


def needs_attention(world: World, why: str) -> str:
    request_id = world.request()
    with world.database.transaction() as tx:
        requests.move(tx, request_id, RequestState.NEEDS_ATTENTION, now=world.clock(), detail=why)
    return request_id


def unknown(world: World) -> str:
    world.epr.mode = RepeatMode.OPERATOR_CHECK
    request_id = world.request()

    def silence() -> None:
        raise OutcomeUnknown("silence", code="epr-silent")

    world.epr.script = [silence]
    send(world.parts, request_id, 0)
    world.clock.forward(seconds=61)
    send(world.parts, request_id, 1)
    return request_id


def test_a_replay_goes_on_where_it_stopped_and_says_who(world: World) -> None:
    engine = Recorder()
    request_id = needs_attention(world, "epr-401: no")
    assert replay.replay(world.parts, engine, request_id, remap=False, who="ann@host", why="mended")
    assert not replay.replay(
        world.parts, engine, request_id, remap=False, who="ann@host", why="mended"
    )
    assert world.state(request_id) is RequestState.MAPPED
    assert world.events(request_id)[-1] == "replayed by ann@host: mended"
    assert len(engine.enqueued) == 1
    assert send(world.parts, request_id, 0) is None


def test_many_are_chosen_by_service_and_reason(world: World) -> None:
    first, _ = needs_attention(world, "epr-401: no"), needs_attention(world, "epr-422: no")
    assert replay.choose(world.parts, "rheumatology", "epr-401") == [first]
    assert len(replay.choose(world.parts, None, "")) == 2
    assert replay.choose(world.parts, "another", "") == []


def test_a_person_who_saw_it_in_the_epr_ends_it(world: World) -> None:
    engine = Recorder()
    request_id = unknown(world)
    assert replay.resolve(
        world.parts, engine, request_id, "ServiceRequest/7", who="ann", why="seen"
    )
    assert world.state(request_id) is RequestState.DELIVERED
    assert world.epr.taken == [request_id]
    with world.database.transaction() as tx:
        found = requests.find(tx, request_id)
    assert found is not None
    assert found.delivered_as == ["ServiceRequest/7"]


@pytest.mark.parametrize("name", ["", "nonsense", "ServiceRequest/", "Task/1/_history/2", "a/b c"])
def test_what_names_nothing_in_the_epr_ends_nothing(world: World, name: str) -> None:
    request_id = unknown(world)
    with pytest.raises(Refused, match="ServiceRequest/123"):
        replay.resolve(world.parts, Recorder(), request_id, name, who="ann", why="seen")
    assert world.state(request_id) is RequestState.NEEDS_ATTENTION


def test_a_person_who_did_not_see_it_has_it_sent_again(world: World) -> None:
    request_id = unknown(world)
    world.epr.taken.clear()
    assert replay.resolve(world.parts, Recorder(), request_id, None, who="ann", why="seen")
    assert send(world.parts, request_id, 0) is None
    assert world.epr.taken == [request_id]


def test_a_replay_of_an_unknown_outcome_looks_before_it_sends(world: World) -> None:
    request_id = unknown(world)
    world.epr.mode = RepeatMode.INTENT_SEARCH
    assert replay.replay(world.parts, Recorder(), request_id, remap=False, who="ann", why="seen")
    assert send(world.parts, request_id, 0) is None
    assert world.epr.taken == [request_id]
