"""Create, read, update, delete and history of one resource, over HTTP."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from fhir_gateway.fhir.check import problems
from fhir_gateway.fhir.identifiers import NHS_NUMBER
from tests.sandbox.epr.request_bundle import patient

ORGANISATION = {"resourceType": "Organization", "name": "Test Trust"}
BY_NUMBER = {"If-None-Exist": f"identifier={NHS_NUMBER}|9990000018"}


def _create(epr: httpx.Client, resource: dict[str, Any]) -> str:
    response = epr.post(f"/fhir/{resource['resourceType']}", json=resource)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def _issue(response: httpx.Response) -> dict[str, Any]:
    outcome = response.json()
    assert response.headers["content-type"] == "application/fhir+json;charset=utf-8"
    assert outcome["resourceType"] == "OperationOutcome"
    assert problems(outcome) == []
    issue: dict[str, Any] = outcome["issue"][0]
    return issue


def test_a_created_resource_says_where_it_is_and_which_version(epr: httpx.Client) -> None:
    response = epr.post("/fhir/Patient", json=patient() | {"id": "mine"})

    created = response.json()
    assert response.status_code == 201
    assert created["id"] != "mine", "the server chooses the id"
    assert created["meta"]["versionId"] == "1"
    assert response.headers["etag"] == 'W/"1"'
    assert parsedate_to_datetime(response.headers["last-modified"])
    place = f"/fhir/Patient/{created['id']}/_history/1"
    assert response.headers["location"] == f"{epr.base_url}{place}"
    assert epr.get(place).json() == created
    assert problems(created) == []


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("return=minimal", None),
        ("return=representation", "Organization"),
        ("return=OperationOutcome", "OperationOutcome"),
        ("", "Organization"),
        ("respond-async; return=minimal", None),
    ],
)
def test_the_body_of_a_create_is_as_preferred(
    epr: httpx.Client, wanted: str, expected: str | None
) -> None:
    response = epr.post("/fhir/Organization", json=ORGANISATION, headers={"Prefer": wanted})

    assert response.status_code == 201
    assert response.headers["location"]
    assert (response.json()["resourceType"] if response.content else None) == expected


def test_decimals_come_back_digit_by_digit(epr: httpx.Client) -> None:
    content = (
        '{"resourceType":"QuestionnaireResponse","status":"completed","item":'
        '[{"linkId":"1","answer":[{"valueDecimal":1.50}]}]}'
    )
    created = epr.post("/fhir/QuestionnaireResponse", content=content)

    assert '"valueDecimal":1.50}' in created.text
    assert '"valueDecimal":1.50}' in epr.get(created.headers["location"]).text


def test_a_conditional_create_of_what_is_not_there_creates(epr: httpx.Client) -> None:
    assert epr.post("/fhir/Patient", json=patient(), headers=BY_NUMBER).status_code == 201


def test_a_conditional_create_of_what_is_there_finds_it_unchanged(epr: httpx.Client) -> None:
    there = _create(epr, patient())

    again = epr.post("/fhir/Patient", json=patient(family="Other"), headers=BY_NUMBER)

    assert again.status_code == 200
    assert again.json()["id"] == there
    assert again.json()["name"][0]["family"] == "Okafor"
    assert again.headers["location"].endswith(f"/Patient/{there}/_history/1")
    assert epr.get("/fhir/Patient").json()["total"] == 1


def test_a_conditional_create_with_several_matches_fails(epr: httpx.Client) -> None:
    _create(epr, patient())
    _create(epr, patient())

    response = epr.post("/fhir/Patient", json=patient(), headers=BY_NUMBER)

    assert response.status_code == 412
    assert _issue(response)["code"] == "multiple-matches"


@pytest.mark.parametrize(
    ("criteria", "status"),
    [
        ("", 412),
        ("identifier=", 400),
        ("colour=blue", 400),
        ("identifier=a|b&colour=blue", 400),
        ("Patient?identifier=a|b", 400),
        ("identifier=a|b&_count=1", 400),
        ("_lastUpdated=soon", 400),
    ],
)
def test_criteria_that_are_not_understood_create_nothing(
    epr: httpx.Client, criteria: str, status: int
) -> None:
    response = epr.post("/fhir/Patient", json=patient(), headers={"If-None-Exist": criteria})

    assert response.status_code == status
    _issue(response)
    assert epr.get("/fhir/Patient").json()["total"] == 0


def test_an_update_makes_the_next_version_and_keeps_the_old_one(epr: httpx.Client) -> None:
    there = _create(epr, ORGANISATION)

    response = epr.put(
        f"/fhir/Organization/{there}",
        json={**ORGANISATION, "id": there, "name": "New Trust"},
        headers={"If-Match": 'W/"1"'},
    )

    assert response.status_code == 200
    assert response.headers["etag"] == 'W/"2"'
    assert response.headers["location"].endswith(f"{there}/_history/2")
    assert epr.get(f"/fhir/Organization/{there}").json()["name"] == "New Trust"
    assert epr.get(f"/fhir/Organization/{there}/_history/1").json()["name"] == "Test Trust"


@pytest.mark.parametrize(
    ("if_match", "status"), [('W/"2"', 412), ('W/"x"', 400), ("1", 400), ("*", 400)]
)
def test_an_update_of_another_version_changes_nothing(
    epr: httpx.Client, if_match: str, status: int
) -> None:
    there = _create(epr, ORGANISATION)

    response = epr.put(
        f"/fhir/Organization/{there}",
        json={**ORGANISATION, "id": there, "name": "New Trust"},
        headers={"If-Match": if_match},
    )

    assert response.status_code == status
    _issue(response)
    assert epr.get(f"/fhir/Organization/{there}").json()["meta"]["versionId"] == "1"


def test_an_update_of_what_is_not_there_creates_it_under_its_id(epr: httpx.Client) -> None:
    response = epr.put("/fhir/Organization/RZZ99", json={**ORGANISATION, "id": "RZZ99"})

    assert response.status_code == 201
    assert epr.get("/fhir/Organization/RZZ99").json()["name"] == "Test Trust"


def test_an_update_that_expects_a_version_does_not_create(epr: httpx.Client) -> None:
    response = epr.put(
        "/fhir/Organization/RZZ99",
        json={**ORGANISATION, "id": "RZZ99"},
        headers={"If-Match": 'W/"1"'},
    )

    assert response.status_code == 412


@pytest.mark.parametrize("sent", [None, "other"])
def test_an_update_needs_the_id_of_its_address(epr: httpx.Client, sent: str | None) -> None:
    resource = {**ORGANISATION, "id": sent} if sent else ORGANISATION

    assert epr.put("/fhir/Organization/RZZ99", json=resource).status_code == 400


@pytest.mark.parametrize("identifier", ["x" * 65, "under_score", "a b"])
def test_an_id_that_fhir_does_not_allow_is_refused(epr: httpx.Client, identifier: str) -> None:
    resource = {**ORGANISATION, "id": identifier}

    assert epr.put(f"/fhir/Organization/{identifier}", json=resource).status_code in (400, 422)


def test_a_deleted_resource_is_gone_but_its_history_is_not(epr: httpx.Client) -> None:
    there = f"/fhir/Organization/{_create(epr, ORGANISATION)}"

    assert epr.delete(there).status_code == 204
    assert epr.delete(there).status_code == 204, "deleting again is no error"

    assert epr.get(there).status_code == 410
    assert _issue(epr.get(there))["code"] == "deleted"
    assert epr.get(f"{there}/_history/1").status_code == 200
    assert epr.get(f"{there}/_history/2").status_code == 410
    assert epr.get("/fhir/Organization").json()["total"] == 0


def test_a_deleted_resource_can_be_brought_back(epr: httpx.Client) -> None:
    there = _create(epr, ORGANISATION)
    epr.delete(f"/fhir/Organization/{there}")

    response = epr.put(f"/fhir/Organization/{there}", json={**ORGANISATION, "id": there})

    assert response.status_code == 201
    assert response.headers["etag"] == 'W/"3"'
    assert epr.get(f"/fhir/Organization/{there}").status_code == 200


def test_a_history_tells_every_version_newest_first(epr: httpx.Client) -> None:
    there = _create(epr, ORGANISATION)
    epr.put(f"/fhir/Organization/{there}", json={**ORGANISATION, "id": there})
    epr.delete(f"/fhir/Organization/{there}")

    bundle = epr.get(f"/fhir/Organization/{there}/_history").json()

    told = [
        (entry["request"]["method"], entry["request"]["url"], entry["response"]["status"])
        for entry in bundle["entry"]
    ]
    assert bundle["type"] == "history"
    assert bundle["total"] == 3
    assert told == [
        ("DELETE", f"Organization/{there}", "204 No Content"),
        ("PUT", f"Organization/{there}", "200 OK"),
        ("POST", "Organization", "201 Created"),
    ]
    assert "resource" not in bundle["entry"][0]
    assert problems(bundle) == []


@pytest.mark.parametrize(
    "path",
    [
        "/fhir/Patient/none",
        "/fhir/Patient/none/_history",
        "/fhir/Patient/none/_history/1",
        "/fhir/Patient/none/_history/x",
        "/fhir/Patient/none/_history/99999999999999999999",
        "/fhir/Encounter",
        "/fhir/Encounter/1",
        "/fhir/patient",
        "/fhir/Patient/1/2/3/4",
    ],
)
def test_what_is_not_there_is_answered_with_an_outcome(epr: httpx.Client, path: str) -> None:
    response = epr.get(path)

    assert response.status_code == 404
    _issue(response)


@pytest.mark.parametrize(
    ("path", "resource", "status"),
    [
        ("Patient", {**patient(), "birthDate": "05/03/1984"}, 422),
        ("Patient", {**patient(), "favouriteColour": "blue"}, 422),
        ("Patient", {**patient(), "name": []}, 422),
        ("Task", {"resourceType": "Task", "intent": "order", "status": "lost"}, 422),
        ("Patient", {**patient(), "contained": [{"resourceType": "Nonsense"}]}, 422),
        ("Patient", {**patient(), "multipleBirthInteger": 10**30}, 422),
        ("Patient", ORGANISATION, 400),
        ("Patient", [patient()], 400),
        ("Patient", {}, 400),
        ("Encounter", {"resourceType": "Encounter"}, 404),
    ],
)
def test_what_is_not_valid_is_not_stored(
    epr: httpx.Client, path: str, resource: Any, status: int
) -> None:
    response = epr.post(f"/fhir/{path}", json=resource)

    assert response.status_code == status
    _issue(response)
    assert epr.get("/fhir/Patient").json()["total"] == 0
