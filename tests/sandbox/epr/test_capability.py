"""The CapabilityStatement promises what the server keeps."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from fhir_gateway.fhir.check import problems

REQUIRED = {
    "Patient": {"family", "given", "birthdate"},
    "RelatedPerson": {"patient"},
    "ServiceRequest": {"patient", "subject", "status", "based-on"},
    "Communication": {"patient", "subject", "status", "recipient", "sender", "based-on"},
    "Task": {"patient", "subject", "status", "focus", "based-on"},
    "QuestionnaireResponse": {"patient", "subject", "status", "questionnaire", "based-on"},
    "Provenance": {"target"},
    "Organization": set(),
    "HealthcareService": set(),
    "DocumentReference": {"patient", "status"},
    "Practitioner": set(),
    "PractitionerRole": set(),
    "Device": {"patient"},
    "Binary": set(),
}
#: A value of each kind that a parameter of that kind takes.
VALUES = {"token": "x", "string": "x", "date": "2026", "reference": "Patient/x"}


@pytest.fixture
def statement(epr: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = epr.get("/fhir/metadata").json()
    return found


def _resources(statement: dict[str, Any]) -> dict[str, Any]:
    return {resource["type"]: resource for resource in statement["rest"][0]["resource"]}


def test_the_statement_is_valid_and_about_this_server(
    epr: httpx.Client, statement: dict[str, Any]
) -> None:
    assert problems(statement) == []
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["implementation"]["url"] == f"{epr.base_url}/fhir"
    codes = {interaction["code"] for interaction in statement["rest"][0]["interaction"]}
    assert codes == {"transaction", "batch"}


def test_every_type_is_there_with_conditional_create(statement: dict[str, Any]) -> None:
    resources = _resources(statement)

    assert set(resources) == set(REQUIRED)
    assert all(resource["conditionalCreate"] is True for resource in resources.values())


def test_every_declared_search_parameter_is_answered_strictly(
    epr: httpx.Client, statement: dict[str, Any]
) -> None:
    for name, resource in _resources(statement).items():
        declared = {parameter["name"]: parameter["type"] for parameter in resource["searchParam"]}
        assert REQUIRED[name] | {"_id", "_lastUpdated"} <= set(declared)
        for parameter, kind in declared.items():
            query = {parameter: VALUES[kind], "_sort": parameter}
            response = epr.get(f"/fhir/{name}", params=query, headers={"Prefer": "handling=strict"})
            assert response.status_code == 200, (name, parameter)


def test_every_declared_include_is_answered_strictly(
    epr: httpx.Client, statement: dict[str, Any]
) -> None:
    for name, resource in _resources(statement).items():
        included = [("_include", value) for value in resource.get("searchInclude", [])]
        included += [("_revinclude", value) for value in resource.get("searchRevInclude", [])]
        response = epr.get(f"/fhir/{name}", params=included, headers={"Prefer": "handling=strict"})
        assert response.status_code == 200, name


def test_every_declared_interaction_works_for_every_type(
    epr: httpx.Client, statement: dict[str, Any]
) -> None:
    for name, resource in _resources(statement).items():
        there = f"/fhir/{name}/none"
        answers = {
            "read": epr.get(there),
            "vread": epr.get(f"{there}/_history/1"),
            "history-instance": epr.get(f"{there}/_history"),
            "search-type": epr.get(f"/fhir/{name}"),
            "delete": epr.delete(there),
            "create": epr.post(f"/fhir/{name}", json={"resourceType": "Wrong"}),
            "update": epr.put(there, json={"resourceType": "Wrong"}),
        }
        assert {i["code"] for i in resource["interaction"]} == set(answers)
        statuses = {code: answer.status_code for code, answer in answers.items()}
        assert statuses == {
            "read": 404,
            "vread": 404,
            "history-instance": 404,
            "search-type": 200,
            "delete": 204,
            "create": 400,
            "update": 400,
        }
