"""What a request is in the FHIR API, from its acceptance on."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.delivery import showing
from fhir_gateway.delivery.mapping import map_request
from fhir_gateway.delivery.shown_resources import STATE_SYSTEM
from fhir_gateway.delivery.steps import bind
from fhir_gateway.delivery.trace import trace
from fhir_gateway.fhir import check
from fhir_gateway.fhir.bundle import references
from fhir_gateway.fhir.search.reading import Reading, read_query
from fhir_gateway.fhir.types import Resource
from fhir_gateway.store import requests, resource_links, resources, search
from fhir_gateway.store.requests import RequestState
from fhir_gateway.store.resources import EVERYTHING, Visible
from tests.delivery.conftest import MOBILE, World


def shown(world: World, request_id: str) -> dict[str, list[Resource]]:
    """What is shown of a request, by type."""
    found: dict[str, list[Resource]] = {}
    for name, resource_id in showing.show_request(world.parts, request_id):
        with world.gateway.database.reading() as tx:
            stored = resources.read(tx, name, resource_id, EVERYTHING)
        assert stored is not None
        assert stored.resource is not None
        found.setdefault(name, []).append(stored.resource)
    return found


def found_by(world: World, resource_type: str, **parameters: str) -> list[str]:
    """Ids that a search finds."""
    with world.gateway.database.reading() as tx:
        reading = Reading(resources.macs_of(tx.sealer), world.parts.clock())
        pairs = [(name.replace("_", "-"), value) for name, value in parameters.items()]
        query = read_query(resource_type, pairs, reading, strict=True)
        return [match.id for match in search.run(tx, query, EVERYTHING).matches]


def step(world: World, name: str, request_id: str) -> None:
    bind(world.parts)[name](request_id, 0)


def test_a_request_is_shown_from_its_acceptance_on(world: World) -> None:
    request_id = world.accepted()
    by_type = shown(world, request_id)
    assert {name: len(found) for name, found in by_type.items()} == {
        "Patient": 1,
        "QuestionnaireResponse": 1,
        "ServiceRequest": 1,
        "Task": 1,
        "Provenance": 1,
    }
    [task] = by_type["Task"]
    assert task["status"] == "requested"
    assert task["focus"]["reference"] == f"ServiceRequest/{by_type['ServiceRequest'][0]['id']}"
    assert task["for"]["reference"] == f"Patient/{by_type['Patient'][0]['id']}"
    assert task["meta"]["versionId"] == "1"


def test_everything_shown_is_valid_and_refers_to_what_is_there(world: World) -> None:
    request_id = world.accepted()
    with world.gateway.database.transaction() as tx:
        showing.show_services(tx, now=world.parts.clock())
    by_type = shown(world, request_id)
    for found in by_type.values():
        for resource in found:
            bad = [p for p in check.problems(resource) if p["severity"] in ("error", "fatal")]
            assert bad == [], (resource["resourceType"], bad)
            for reference in references(resource):
                kind, _, target = reference["reference"].partition("/")
                with world.gateway.database.reading() as tx:
                    assert resources.read(tx, kind, target, EVERYTHING), reference


def test_a_request_keeps_its_ids_and_only_its_task_gets_versions(world: World) -> None:
    request_id = world.accepted()
    before = shown(world, request_id)
    step(world, "trace", request_id)
    step(world, "map", request_id)
    after = shown(world, request_id)
    assert after["Task"][0]["id"] == before["Task"][0]["id"]
    assert after["Patient"][0]["id"] == before["Patient"][0]["id"]
    with world.gateway.database.transaction() as tx:
        requests.move(tx, request_id, RequestState.DELIVERED, now=world.parts.clock())
    [task] = shown(world, request_id)["Task"]
    assert task["status"] == "received"
    assert "<td>Status</td><td>received</td>" in task["text"]["div"]
    assert {"system": STATE_SYSTEM, "code": "delivered"} in task["meta"]["tag"]
    patient = before["Patient"][0]["id"]
    with world.gateway.database.reading() as tx:
        versions = resource_links.versions(tx, "Task", EVERYTHING, resource_id=task["id"])
        stored = resources.read(tx, "Patient", patient, EVERYTHING)
    assert len(versions) == int(task["meta"]["versionId"]) >= 2
    assert stored is not None
    assert stored.version == int(after["Patient"][0]["meta"]["versionId"])


def test_a_request_that_was_never_shown_is_shown_whole_even_when_it_is_delivered(
    world: World,
) -> None:
    request_id = world.accepted()
    trace(world.parts, request_id, 0)
    map_request(world.parts, request_id, 0)
    with world.gateway.database.transaction() as tx:
        requests.move(tx, request_id, RequestState.DELIVERED, now=world.parts.clock())
    by_type = shown(world, request_id)
    assert {"Patient", "ServiceRequest", "Task"} <= by_type.keys()
    with world.gateway.database.transaction() as tx:
        requests.move(tx, request_id, RequestState.CONFIRMED, now=world.parts.clock())
    again = shown(world, request_id)
    assert again["Patient"] == by_type["Patient"]
    assert again["Task"] != by_type["Task"]


def test_showing_again_changes_nothing(world: World) -> None:
    request_id = world.accepted()
    assert shown(world, request_id) == shown(world, request_id)


def test_the_steps_show_what_they_did(world: World) -> None:
    request_id = world.accepted()
    step(world, "trace", request_id)
    step(world, "map", request_id)
    request = world.request(request_id)
    assert request.state is RequestState.MAPPED
    system = "https://w3id.org/fhir-gateway/Id/request"
    [task] = found_by(world, "Task", identifier=f"{system}|{request_id}")
    assert found_by(world, "Task", identifier=request.reference) == [task]


def test_a_team_s_words_in_a_task_outlast_what_the_gateway_shows(world: World) -> None:
    request_id = world.accepted()
    [task] = shown(world, request_id)["Task"]
    written = {**task, "status": "in-progress", "note": [{"text": "Called her."}]}
    with world.gateway.database.transaction() as tx:
        resources.write(
            tx, written, provider="RZZ99", now=world.parts.clock(), by_client=True, expected=1
        )
    with world.gateway.database.transaction() as tx:
        requests.move(tx, request_id, RequestState.TRACED, now=world.parts.clock())
    [task] = shown(world, request_id)["Task"]
    assert task["status"] == "in-progress"
    assert task["note"] == [{"text": "Called her."}]
    assert "Called her." in task["text"]["div"]
    assert {"system": STATE_SYSTEM, "code": "traced"} in task["meta"]["tag"]


def test_requests_of_before_are_caught_up_with(world: World) -> None:
    ids = {world.accepted() for _ in range(3)}
    assert sum(showing.catch_up(world.parts, at_once=2)) >= 3
    with world.gateway.database.reading() as tx:
        assert showing.not_shown(tx, after="", limit=10) == []
    for request_id in ids:
        assert found_by(world, "Task", identifier=request_id)


def test_checks_about_invented_patients_are_not_shown(world: World) -> None:
    assert showing.show_request(world.parts, world.accepted(synthetic=True)) == []


def test_a_request_that_no_mapping_can_show_is_a_task_with_its_answers(world: World) -> None:
    request_id = world.accepted()
    targets = dict(world.parts.targets)
    broken: Any = world.parts.targets
    world.parts.targets.clear()
    try:
        by_type = shown(world, request_id)
    finally:
        broken.update(targets)
    assert by_type.keys() == {"QuestionnaireResponse", "Task"}
    assert by_type["Task"][0]["status"] == "requested"


@pytest.mark.hazard("H08")
def test_nothing_that_tells_who_somebody_is_stands_in_the_database(world: World) -> None:
    request_id = world.accepted()
    by_type = shown(world, request_id)
    [patient] = by_type["Patient"]
    assert found_by(world, "Patient", family=patient["name"][0]["family"])
    assert found_by(world, "Patient", birthdate=patient["birthDate"])
    personal = [
        patient["name"][0]["family"].casefold(),
        patient["birthDate"],
        patient["address"][0]["postalCode"].casefold(),
        MOBILE,
    ]
    with world.gateway.database.engine.connect() as connection:
        for table in ("resource", "resource_version", "search_value"):
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}"):
                held = " ".join(str(value) for value in row).casefold()
                assert not [value for value in personal if value in held], table


def test_another_provider_sees_nothing_of_it(world: World) -> None:
    request_id = world.accepted()
    for name, found in shown(world, request_id).items():
        for resource in found:
            with world.gateway.database.reading() as tx:
                assert resources.read(tx, name, resource["id"], Visible(frozenset({"RX1"}))) is None
