"""Batches: each entry by itself."""

from __future__ import annotations

from typing import Any

import httpx

from fhir_gateway.fhir.check import problems
from fhir_gateway.fhir.identifiers import NHS_NUMBER
from tests.sandbox.epr.request_bundle import patient


def _batch(*entries: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "batch", "entry": list(entries)}


def _entry(method: str, url: str, resource: Any = None, **more: str) -> dict[str, Any]:
    return {"request": {"method": method, "url": url, **more}, "resource": resource}


def test_a_batch_does_what_it_can_and_says_what_it_could_not(epr: httpx.Client) -> None:
    epr.put("/fhir/Patient/old", json=patient("9990000026") | {"id": "old"})
    same = f"identifier={NHS_NUMBER}|9990000018"

    response = epr.post(
        "/fhir",
        json=_batch(
            _entry("GET", f"Patient?{same}"),
            _entry("POST", "Patient", patient(), ifNoneExist=same),
            _entry("POST", "Patient", {"resourceType": "Patient", "birthDate": "x"}),
            _entry("POST", "Patient", patient(), ifNoneExist=same),
            _entry("PUT", "Organization/o", {"resourceType": "Organization", "id": "o"}),
            _entry("DELETE", "Patient/old"),
            _entry("GET", "Patient/none"),
            _entry("POST", "Device", {"resourceType": "Device", "patient": {"reference": "x"}}),
            None,
        ),
    )

    answer = response.json()
    assert response.status_code == 200
    assert answer["type"] == "batch-response"
    assert problems(answer) == []
    assert [entry["response"]["status"][:3] for entry in answer["entry"]] == (
        "200 201 422 200 201 204 404 422 405".split()
    )
    assert answer["entry"][0]["resource"]["total"] == 1
    failed = answer["entry"][2]["response"]["outcome"]
    assert failed["issue"][0]["expression"] == ["Bundle.entry[2]"]
    assert epr.get("/fhir/Patient").json()["total"] == 1


def test_a_batch_gives_representations_when_preferred(epr: httpx.Client) -> None:
    answer = epr.post(
        "/fhir",
        json=_batch(_entry("POST", "Patient", patient())),
        headers={"Prefer": "return=representation"},
    ).json()

    assert answer["entry"][0]["resource"]["resourceType"] == "Patient"
