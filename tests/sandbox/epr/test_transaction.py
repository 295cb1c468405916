"""Transactions: all or nothing, with references that lead to what was created or found."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from fhir_gateway.fhir.bundle import post_entry, references, transaction
from fhir_gateway.fhir.check import problems
from fhir_gateway.fhir.identifiers import NHS_NUMBER
from tests.sandbox.epr.request_bundle import patient, request_bundle

TYPES = "Patient RelatedPerson ServiceRequest QuestionnaireResponse Task Provenance Device".split()
BY_NUMBER = f"identifier={NHS_NUMBER}|9990000018"


def _counts(epr: httpx.Client) -> dict[str, int]:
    found = {name: epr.get(f"/fhir/{name}?_count=0").json()["total"] for name in TYPES}
    return {name: total for name, total in found.items() if total}


def _device(reference: str) -> dict[str, Any]:
    return {"resourceType": "Device", "patient": {"reference": reference}}


def _urn() -> str:
    return f"urn:uuid:{uuid.uuid4()}"


def _entry(method: str, url: str, resource: dict[str, Any] | None = None, **more: str) -> Any:
    entry: dict[str, Any] = {"request": {"method": method, "url": url, **more}}
    return {**entry, "resource": resource} if resource else entry


def test_a_whole_request_arrives_with_its_references(epr: httpx.Client) -> None:
    response = epr.post("/fhir", json=request_bundle(proxy=True))

    answer = response.json()
    assert response.status_code == 200
    assert answer["type"] == "transaction-response"
    assert problems(answer) == []
    assert [entry["response"]["status"] for entry in answer["entry"]] == ["201 Created"] * 6
    assert {entry["response"]["etag"] for entry in answer["entry"]} == {'W/"1"'}
    assert all(entry["response"]["lastModified"] for entry in answer["entry"])
    for entry in answer["entry"]:
        stored = epr.get(f"/fhir/{entry['response']['location']}").json()
        for reference in references(stored):
            assert epr.get(f"/fhir/{reference['reference']}").status_code == 200
    task = epr.get("/fhir/Task").json()["entry"][0]["resource"]
    assert task["focus"]["reference"].startswith("ServiceRequest/")
    assert task["input"][0]["valueReference"]["reference"].startswith("QuestionnaireResponse/")
    assert "reference" not in task["owner"], "a logical reference stays as it is"


def test_the_same_request_sent_again_changes_nothing(epr: httpx.Client) -> None:
    bundle = request_bundle()
    first = epr.post("/fhir", json=bundle).json()
    before = _counts(epr)

    again = epr.post("/fhir", json=bundle).json()

    statuses = [entry["response"]["status"] for entry in again["entry"]]
    assert statuses == ["200 OK"] * 4 + ["201 Created"], "Provenance has no identifier"
    assert [e["response"]["location"] for e in again["entry"]][:4] == [
        e["response"]["location"] for e in first["entry"]
    ][:4]
    assert _counts(epr) == before | {"Provenance": 2}


def test_references_lead_to_the_patient_that_was_there(epr: httpx.Client) -> None:
    there = epr.post("/fhir/Patient", json=patient(family="Registered")).json()["id"]

    epr.post("/fhir", json=request_bundle())

    assert _counts(epr)["Patient"] == 1
    task = epr.get("/fhir/Task").json()["entry"][0]["resource"]
    assert task["for"]["reference"] == f"Patient/{there}"
    assert epr.get(f"/fhir/Patient/{there}").json()["name"][0]["family"] == "Registered"


def test_representations_come_back_when_preferred(epr: httpx.Client) -> None:
    answer = epr.post(
        "/fhir", json=request_bundle(), headers={"Prefer": "return=representation"}
    ).json()

    types = [entry["resource"]["resourceType"] for entry in answer["entry"]]
    assert types == ["Patient", "ServiceRequest", "QuestionnaireResponse", "Task", "Provenance"]


def _bad_entries() -> dict[str, tuple[Any, int]]:
    """An entry that must fail, and with which status."""
    return {
        "invalid": (post_entry(_urn(), {"resourceType": "Task", "status": "requested"}), 422),
        "unknown type": (_entry("POST", "Encounter", {"resourceType": "Encounter"}), 404),
        "wrong type": (_entry("POST", "Patient", {"resourceType": "Device"}), 400),
        "no resource": (_entry("POST", "Patient"), 400),
        "unknown method": (_entry("PATCH", "Patient/1"), 405),
        "no request": ({"resource": patient()}, 405),
        "nothing": (None, 405),
        "dangling urn": (post_entry(_urn(), _device(_urn())), 422),
        "dangling reference": (post_entry(_urn(), _device("Patient/none")), 422),
        "criteria": (_entry("POST", "Patient", patient(), ifNoneExist="colour=blue"), 400),
        "criteria that are no text": (
            {
                "request": {"method": "POST", "url": "Patient", "ifNoneExist": 1},
                "resource": patient(),
            },
            400,
        ),
        "several": (_entry("POST", "Patient", patient(), ifNoneExist="gender=female"), 412),
        "no such patient": (post_entry(_urn(), _device("Patient?identifier=a|b")), 412),
        "several patients": (post_entry(_urn(), _device("Patient?gender=female")), 412),
        "unknown conditional": (post_entry(_urn(), _device("Encounter?identifier=a|b")), 404),
        "stale": (_entry("PUT", "Patient/p1", patient() | {"id": "p1"}, ifMatch='W/"9"'), 412),
        "other id": (_entry("PUT", "Patient/p1", patient() | {"id": "p2"}), 400),
        "conditional update": (_entry("PUT", "Patient?gender=female", patient()), 400),
        "conditional delete": (_entry("DELETE", "Patient?gender=female"), 400),
        "read of nothing": (_entry("GET", "Patient/none"), 404),
        "still referred to": (_entry("DELETE", "Patient/p1"), 409),
    }


@pytest.mark.parametrize("name", list(_bad_entries()))
def test_one_bad_entry_undoes_everything(epr: httpx.Client, name: str) -> None:
    entry, status = _bad_entries()[name]
    for identifier in ("p1", "p2"):
        epr.put(f"/fhir/Patient/{identifier}", json=patient("9990000026") | {"id": identifier})
    epr.put("/fhir/Device/d1", json=_device("Patient/p1") | {"id": "d1"})
    before = _counts(epr)
    good = request_bundle()["entry"]
    changed = patient("9990000034") | {"id": "p2"}

    response = epr.post(
        "/fhir",
        json=transaction(
            [*good, _entry("PUT", "Patient/p2", changed), _entry("DELETE", "Task/none"), entry]
        ),
    )

    outcome = response.json()
    assert response.status_code == status, response.text
    assert problems(outcome) == []
    assert {issue["expression"][0] for issue in outcome["issue"]} == {
        f"Bundle.entry[{len(good) + 2}]"
    }
    assert _counts(epr) == before
    assert epr.get("/fhir/Patient/p2").json()["meta"]["versionId"] == "1"
    assert epr.get("/fhir/Patient", params={"identifier": "9990000034"}).json()["total"] == 0


def test_all_invalid_entries_are_named_at_once(epr: httpx.Client) -> None:
    bad = {"resourceType": "Task", "status": "requested"}

    response = epr.post(
        "/fhir",
        json=transaction([post_entry(_urn(), r) for r in (patient(), bad, patient(), bad)]),
    )

    places = {issue["expression"][0] for issue in response.json()["issue"]}
    assert response.status_code == 422
    assert places == {"Bundle.entry[1]", "Bundle.entry[3]"}


def test_entries_are_carried_out_in_the_order_of_the_specification(epr: httpx.Client) -> None:
    epr.put("/fhir/Patient/old", json=patient() | {"id": "old"})
    urn = _urn()

    answer = epr.post(
        "/fhir",
        json=transaction(
            [
                _entry("GET", f"Patient?{BY_NUMBER}"),
                _entry("GET", "Device/d1"),
                _entry("PUT", "Device/d1", _device(urn) | {"id": "d1"}),
                post_entry(urn, patient(family="New"), if_none_exist=BY_NUMBER),
                _entry("DELETE", "Patient/old"),
            ]
        ),
    ).json()

    statuses = [entry["response"]["status"] for entry in answer["entry"]]
    assert statuses == ["200 OK", "200 OK", "201 Created", "201 Created", "204 No Content"]
    found = answer["entry"][0]["resource"]["entry"]
    assert [entry["resource"]["name"][0]["family"] for entry in found] == ["New"]
    new = found[0]["resource"]["id"]
    assert answer["entry"][1]["resource"]["patient"]["reference"] == f"Patient/{new}"


def test_reads_in_a_transaction_answer_as_they_would_alone(epr: httpx.Client) -> None:
    epr.put("/fhir/Patient/p1", json=patient() | {"id": "p1"})

    answer = epr.post(
        "/fhir",
        json=transaction(
            _entry("GET", url)
            for url in (
                "Patient/p1",
                "Patient/p1/_history",
                "Patient/p1/_history/1",
                f"{epr.base_url}/fhir/Patient?family=okafor",
            )
        ),
    ).json()

    types = [
        (entry["resource"]["resourceType"], entry["resource"].get("type"))
        for entry in answer["entry"]
    ]
    assert types == [
        ("Patient", None),
        ("Bundle", "history"),
        ("Patient", None),
        ("Bundle", "searchset"),
    ]
    assert answer["entry"][0]["response"]["etag"] == 'W/"1"'


def test_two_creates_with_the_same_criteria_become_one_resource(epr: httpx.Client) -> None:
    urns = [_urn(), _urn()]
    creates = [post_entry(urn, patient(), if_none_exist=BY_NUMBER) for urn in urns]

    answer = epr.post(
        "/fhir", json=transaction([*creates, *(post_entry(_urn(), _device(u)) for u in urns)])
    ).json()

    assert [e["response"]["status"][:3] for e in answer["entry"]] == ["201", "200", "201", "201"]
    assert _counts(epr) == {"Patient": 1, "Device": 2}


@pytest.mark.parametrize(
    "entries",
    [
        [post_entry("urn:uuid:1", patient()), post_entry("urn:uuid:1", patient())],
        [_entry("DELETE", "Patient/p"), _entry("PUT", "Patient/p", patient() | {"id": "p"})],
        [_entry("PUT", "Patient/p", patient() | {"id": "p"})] * 2,
    ],
)
def test_two_entries_cannot_be_about_the_same_resource(
    epr: httpx.Client, entries: list[Any]
) -> None:
    response = epr.post("/fhir", json=transaction(entries))

    assert response.status_code == 400
    assert response.json()["issue"][0]["expression"] == ["Bundle.entry[1]"]


@pytest.mark.parametrize(
    "body",
    [
        patient(),
        [],
        {"resourceType": "Bundle", "type": "collection"},
        {"resourceType": "Bundle", "type": "transaction", "entry": {}},
        {"resourceType": "Bundle"},
    ],
)
def test_only_batches_and_transactions_are_taken(epr: httpx.Client, body: Any) -> None:
    assert epr.post("/fhir", json=body).status_code == 400


def test_an_empty_transaction_does_nothing(epr: httpx.Client) -> None:
    response = epr.post("/fhir/", json=transaction([]))

    assert response.json() == {"resourceType": "Bundle", "type": "transaction-response"}
