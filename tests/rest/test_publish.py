"""Publishing Questionnaires and services over the API: by administrators, and lint is the gate."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.fhir.types import Resource
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.store import published
from tests.rest.write_world import OURS, THEIRS, Writing, service_bundle

URL = "https://trust.example/Questionnaire/feet"


def questionnaire(version: str = "1", **changes: Any) -> Resource:
    return {
        "resourceType": "Questionnaire",
        "url": URL,
        "version": version,
        "title": "Your feet",
        "status": "active",
        "item": [{"linkId": "a", "type": "string", "text": "How are they?", "required": True}],
        **changes,
    }


def publish(world: Writing, resource: Resource, **options: Any) -> Any:
    return world.post("Questionnaire", resource, provider="ALL", **options)


@pytest.fixture(autouse=True)
def forgotten(world: Writing) -> None:
    """What another test published is not at hand."""
    for version in ("1", "2"):
        world.gateway.parts.catalogue.registry._by_url.pop(URL, None)
        world.gateway.parts.catalogue._definitions.pop(f"{URL}|{version}", None)


def test_a_questionnaire_is_published_for_all_and_in_all_processes(world: Writing) -> None:
    answer = publish(world, questionnaire())
    assert answer.status_code == 201, answer.text
    read = world.get(f"Questionnaire/{answer.json()['id']}", provider=None)
    assert read.json()["title"] == "Your feet"
    populated = world.get(f"Questionnaire/$populate?canonical={URL}|1", provider=None)
    assert populated.status_code == 200
    other = Catalogue([])
    other.follow(lambda: published.questionnaires(world.gateway.database))
    assert other.definition(f"{URL}|1").raw["title"] == "Your feet"


def test_lint_is_the_gate(world: Writing) -> None:
    twice = questionnaire()["item"] * 2
    answer = publish(world, questionnaire(item=twice))
    assert answer.status_code == 422
    assert "duplicate-link-id" in answer.text
    for missing in ("url", "version"):
        wrong = {k: v for k, v in questionnaire().items() if k != missing}
        answer = publish(world, wrong)
        assert answer.json()["issue"][0]["expression"] == [f"Questionnaire.{missing}"]


def test_a_version_is_one_questionnaire(world: Writing) -> None:
    first = publish(world, questionnaire())
    again = publish(world, questionnaire())
    other = publish(world, questionnaire(title="Your hands"))
    newer = publish(world, questionnaire("2", title="Your hands"))
    assert [a.status_code for a in (first, again, other, newer)] == [201, 200, 409, 201]


def test_a_version_that_is_used_never_changes(world: Writing) -> None:
    made = publish(world, questionnaire()).json()
    place = f"Questionnaire/{made['id']}"
    changed = world.call("PUT", place, {**made, "title": "New"}, provider="ALL")
    assert changed.status_code == 200, changed.text
    late = world.call("PUT", place, made, provider="ALL", If_Match='W/"1"')
    assert late.status_code == 412
    service = service_bundle(OURS, "rheumatology")
    parts = service["entry"][0]["resource"]["extension"][0]["extension"]
    parts[0]["valueCanonical"] = f"{URL}|1"
    put = world.call("PUT", "HealthcareService/rheumatology", service, provider="ALL")
    assert put.status_code in (200, 422)
    with world.gateway.database.transaction() as tx:
        from fhir_gateway.store import requests

        requests.add(
            tx,
            request_id="11111111-1111-1111-1111-111111111111",
            reference="TEST-TEST",
            draft_id=None,
            service_slug="rheumatology",
            questionnaire=f"{URL}|1",
            response={},
            evidence={},
            now=world.gateway.parts.clock(),
        )
    used = world.call("PUT", place, {**made, "title": "Newer"}, provider="ALL")
    assert used.status_code == 409
    shipped = world.get("Questionnaire/pifu-medical").json()
    answer = world.call("PUT", "Questionnaire/pifu-medical", shipped, provider="ALL")
    assert answer.status_code in (409, 422)


@pytest.mark.parametrize("kind", ["Questionnaire", "HealthcareService"])
def test_only_administrators_publish(world: Writing, kind: str) -> None:
    body = questionnaire() if kind == "Questionnaire" else service_bundle(THEIRS, "new")
    assert world.post(kind, body).status_code == 403
    assert world.post(kind, body, provider=None).status_code == 401


def test_a_service_is_published_as_its_bundle_or_with_what_it_contains(world: Writing) -> None:
    bundle = service_bundle(OURS, "podiatry")
    answer = world.post("HealthcareService", bundle, provider="ALL")
    assert answer.status_code == 201, answer.text
    assert answer.json()["id"] == "podiatry"
    assert world.get("HealthcareService/podiatry").status_code == 200
    assert world.get("HealthcareService/podiatry", provider=THEIRS).status_code == 404
    service, organisation, endpoint = (e["resource"] for e in bundle["entry"])
    whole = {
        **service,
        "identifier": [{**service["identifier"][0], "value": "hands"}],
        "providedBy": {"reference": f"#{organisation['id']}"},
        "endpoint": [{"reference": f"#{endpoint['id']}"}],
        "contained": [organisation, endpoint],
    }
    answer = world.post("HealthcareService", whole, provider="ALL")
    assert answer.status_code == 201, answer.text
    assert answer.json()["providedBy"]["reference"] == f"Organization/{OURS}"


def test_what_is_no_service_is_refused_with_every_reason(world: Writing) -> None:
    bundle = service_bundle(OURS, "podiatry")
    service = bundle["entry"][0]["resource"]
    service["extension"][0]["extension"][1]["valueString"] = "no-such-mapping"
    answer = world.post("HealthcareService", bundle, provider="ALL")
    assert answer.status_code == 422
    assert "no-such-mapping" in answer.text
    del service["name"]
    answer = world.post("HealthcareService", bundle, provider="ALL")
    assert "name is missing" in answer.text
    again = world.post(
        "HealthcareService", {**service_bundle(OURS, "rheumatology"), "id": "x"}, provider="ALL"
    )
    assert again.status_code == 409
    moved = service_bundle(THEIRS, "rheumatology")
    answer = world.call("PUT", "HealthcareService/rheumatology", moved, provider="ALL")
    assert answer.status_code == 409
