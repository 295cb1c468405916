"""References: which are fine, which are refused, and how transactions rewrite them."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from fhir_gateway.fhir.bundle import post_entry, transaction
from fhir_gateway.fhir.identifiers import NHS_NUMBER
from tests.sandbox.epr.request_bundle import patient

BY_NUMBER = f"identifier={NHS_NUMBER}|9990000018"


def _create(epr: httpx.Client, resource: dict[str, Any]) -> str:
    response = epr.post(f"/fhir/{resource['resourceType']}", json=resource)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def _device(reference: str) -> dict[str, Any]:
    return {"resourceType": "Device", "patient": {"reference": reference}}


def _urn() -> str:
    return f"urn:uuid:{uuid.uuid4()}"


@pytest.mark.parametrize(
    "reference",
    [
        {"identifier": {"system": NHS_NUMBER, "value": "9990000018"}},
        {"display": "Somebody"},
        {"reference": "https://other.example/fhir/Patient/1"},
        {"reference": "#within"},
    ],
)
def test_references_that_need_nothing_here_are_fine(
    epr: httpx.Client, reference: dict[str, Any]
) -> None:
    device = {
        "resourceType": "Device",
        "contained": [{"resourceType": "Patient", "id": "within"}],
        "patient": reference,
    }

    assert epr.post("/fhir/Device", json=device).status_code == 201


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/none",
        "Encounter/1",
        "Patient/none/_history/1",
        "urn:uuid:0b1c2d3e-0000-4000-8000-000000000000",
        f"Patient?identifier={NHS_NUMBER}|9990000018",
        "somebody",
    ],
)
def test_references_that_lead_nowhere_are_refused(epr: httpx.Client, reference: str) -> None:
    device = {"resourceType": "Device", "patient": {"reference": reference}}

    response = epr.post("/fhir/Device", json=device)

    assert response.status_code == 422
    assert response.json()["issue"][0]["code"] == "not-found"
    assert epr.get("/fhir/Device").json()["total"] == 0


def test_a_reference_by_this_servers_address_becomes_relative(epr: httpx.Client) -> None:
    there = _create(epr, patient())
    absolute = f"{epr.base_url}/fhir/Patient/{there}"

    device = epr.post(
        "/fhir/Device", json={"resourceType": "Device", "patient": {"reference": absolute}}
    ).json()

    assert device["patient"]["reference"] == f"Patient/{there}"
    assert epr.get("/fhir/Device", params={"patient": absolute}).json()["total"] == 1


def test_what_others_refer_to_cannot_be_deleted(epr: httpx.Client) -> None:
    there = _create(epr, patient())
    device = {"resourceType": "Device", "patient": {"reference": f"Patient/{there}"}}
    owner = _create(epr, device)

    assert epr.delete(f"/fhir/Patient/{there}").status_code == 409

    assert epr.get(f"/fhir/Patient/{there}").status_code == 200
    assert epr.delete(f"/fhir/Device/{owner}").status_code == 204
    assert epr.delete(f"/fhir/Patient/{there}").status_code == 204


def test_a_conditional_reference_becomes_the_one_that_matches(epr: httpx.Client) -> None:
    epr.put("/fhir/Patient/p1", json=patient() | {"id": "p1"})

    epr.post("/fhir", json=transaction([post_entry(_urn(), _device(f"Patient?{BY_NUMBER}"))]))

    device = epr.get("/fhir/Device").json()["entry"][0]["resource"]
    assert device["patient"]["reference"] == "Patient/p1"


def test_relative_references_between_entries_of_another_server_are_rewritten(
    epr: httpx.Client,
) -> None:
    root = "https://other.example/fhir"

    epr.post(
        "/fhir",
        json=transaction(
            [
                post_entry(f"{root}/Device/1", _device("Patient/1")),
                post_entry(f"{root}/Patient/1", patient()),
            ]
        ),
    ).raise_for_status()

    device = epr.get("/fhir/Device").json()["entry"][0]["resource"]
    assert device["patient"]["reference"] != "Patient/1"
    assert epr.get(f"/fhir/{device['patient']['reference']}").status_code == 200


def test_references_are_rewritten_at_every_depth(epr: httpx.Client) -> None:
    who, file = _urn(), _urn()
    deep = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "contained": [{"resourceType": "Device", "id": "d", "patient": {"reference": who}}],
        "extension": [{"url": "urn:x", "valueReference": {"reference": who}}],
        "item": [
            {
                "linkId": "1",
                "answer": [
                    {
                        "valueReference": {"reference": f"{who}"},
                        "item": [
                            {
                                "linkId": "2",
                                "answer": [
                                    {
                                        "valueAttachment": {
                                            "contentType": "text/plain",
                                            "url": file,
                                        }
                                    }
                                ],
                            }
                        ],
                    }
                ],
            }
        ],
    }
    binary = {"resourceType": "Binary", "contentType": "text/plain", "data": "aGVsbG8="}

    epr.post(
        "/fhir",
        json=transaction(
            [post_entry(_urn(), deep), post_entry(who, patient()), post_entry(file, binary)]
        ),
    ).raise_for_status()

    response = epr.get("/fhir/QuestionnaireResponse")
    stored = response.json()["entry"][0]["resource"]
    answer = stored["item"][0]["answer"][0]
    assert "urn:uuid:" not in response.text
    assert stored["contained"][0]["patient"] == answer["valueReference"]
    assert stored["extension"][0]["valueReference"] == answer["valueReference"]
    attachment = answer["item"][0]["answer"][0]["valueAttachment"]
    assert epr.get(f"/fhir/{attachment['url']}").json()["data"] == "aGVsbG8="
