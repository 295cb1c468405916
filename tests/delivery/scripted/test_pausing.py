"""Who holds a neighbour back, and who lets it go on, is recorded."""

from __future__ import annotations

from datetime import timedelta

from fhir_gateway.delivery import gate, pausing
from fhir_gateway.delivery.send import send
from fhir_gateway.errors import TryLater
from fhir_gateway.fhir import check
from fhir_gateway.store import audit_log
from fhir_gateway.store.audit_log import Query
from tests.delivery.scripted.conftest import World
from tests.delivery.scripted.test_send import refusing


def recorded(world: World) -> list[tuple[str, str, str]]:
    with world.database.transaction() as tx:
        found = audit_log.search(tx, Query(agent="ann@host"), limit=10)
    assert [p for event in found for p in check.problems(event)] == []
    return [
        (e["subtype"][0]["code"], e["entity"][0]["what"]["display"], e.get("outcomeDesc", ""))
        for e in found
    ]


def test_a_pause_and_its_end_are_recorded(world: World) -> None:
    pausing.pause(world.parts, "epr:x", who="ann@host", why="upgrade of the EPR")
    assert pausing.resume(world.parts, "epr:x", who="ann@host")
    assert not pausing.resume(world.parts, "epr:x", who="ann@host")
    assert sorted(recorded(world)) == [
        ("pause", "epr:x", "upgrade of the EPR"),
        ("resume", "epr:x", ""),
    ]


def test_a_person_may_say_that_the_patience_an_epr_asked_for_is_over(world: World) -> None:
    request_id = world.request()
    world.epr.script = [refusing(TryLater("busy", code="epr-429", after=3600))]
    wait = send(world.parts, request_id, 0)
    assert wait is not None
    assert wait >= 3600
    with world.database.reading() as tx:
        name = gate.epr_name(world.parts.service(tx, "rheumatology"))
    world.clock.forward(seconds=timedelta(minutes=1).total_seconds())
    assert pausing.resume(world.parts, name, who="ann@host")
    assert send(world.parts, request_id, 1) is None
