"""Mapping: the Bundle that the EPR gets, checked before it leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhir_gateway.delivery import mapping
from fhir_gateway.delivery.mapping import launch_context, map_request
from fhir_gateway.delivery.steps import bind
from fhir_gateway.delivery.trace import trace
from fhir_gateway.errors import Defect
from fhir_gateway.fhir import check
from fhir_gateway.fhir.bundle import resources
from fhir_gateway.fhir.identifiers import REQUEST_ID
from fhir_gateway.fhir.outcome import issue
from fhir_gateway.store.requests import RequestState
from tests.delivery.conftest import World


@pytest.fixture
def traced(world: World) -> str:
    """A request whose patient was looked up."""
    request_id = world.accepted()
    assert trace(world.parts, request_id, 0) is None
    return request_id


def test_a_traced_request_becomes_a_valid_bundle(world: World, traced: str) -> None:
    assert map_request(world.parts, traced, 0) is None
    kept = world.request(traced)
    assert kept.state is RequestState.MAPPED
    assert kept.bundle is not None
    assert [p for p in check.problems(kept.bundle) if p["severity"] == "error"] == []
    made = list(resources(kept.bundle))
    assert all(resource["text"]["status"] for resource in made)
    (own,) = [r for r in made if r["resourceType"] == "ServiceRequest"]
    assert {"system": REQUEST_ID, "value": traced}.items() <= own["identifier"][0].items()
    assert own["reasonCode"][0]["text"] == "Swollen hands"


@pytest.mark.hazard("H10")
def test_it_is_recorded_which_mapping_it_was(world: World, traced: str) -> None:
    map_request(world.parts, traced, 0)
    target = world.parts.target("uk-core-transaction")
    detail = f"uk-core-transaction {target.version} sha256:{target.digest[:12]}"
    assert world.events(traced)[-1] == ("mapped", detail)


@pytest.mark.hazard("H02")
def test_mapping_again_changes_nothing(world: World, traced: str) -> None:
    map_request(world.parts, traced, 0)
    first = world.request(traced).bundle
    assert map_request(world.parts, traced, 1) is None
    assert world.request(traced).bundle == first
    assert map_request(world.parts, "nonsense", 0) is None


def test_a_template_can_name_what_the_docs_say(world: World, traced: str) -> None:
    request = world.request(traced)
    with world.gateway.database.transaction() as tx:
        service = world.parts.service(tx, "rheumatology")
    context = launch_context(
        world.parts, request, service, world.parts.target("uk-core-transaction")
    )
    assert set(context) == {
        "request",
        "identity",
        "submittedPatient",
        "submittedRequester",
        "service",
        "organisation",
        "gateway",
    }
    assert context["request"]["reference"] == request.reference
    assert context["service"]["name"] == "Rheumatology"


@pytest.mark.hazard("H09")
def test_an_invalid_bundle_does_not_leave(
    world: World, traced: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [issue("error", "structure", "something is wrong at Task")]
    monkeypatch.setattr(mapping.check, "problems", lambda _: broken)
    with pytest.raises(Defect) as raised:
        map_request(world.parts, traced, 0)
    assert raised.value.code == "mapping-invalid"
    assert world.state(traced) is RequestState.TRACED


@pytest.mark.hazard("H09")
def test_a_mapping_that_is_gone_asks_for_a_person(world: World, traced: str) -> None:
    parts = replace(world.parts, targets={"as-submitted": world.parts.targets["as-submitted"]})
    assert bind(parts)["map"](traced, 0) == -1
    assert world.state(traced) is RequestState.NEEDS_ATTENTION
    assert "uk-core-transaction" in world.events(traced)[-1][1]
