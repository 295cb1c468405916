"""The operations: $validate, $populate, $assemble, $expand, $validate-code, $lookup, $match."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.fhir.profiles import Profiles
from fhir_gateway.fhir.types import Resource
from fhir_gateway.rest.operations.validate import Validator
from fhir_gateway.sandbox.pds.personas import person
from tests.rest.write_world import THEIRS, Writing

MEDICAL = "https://w3id.org/fhir-gateway/Questionnaire/pifu-medical"
WHO_FOR = "https://w3id.org/fhir-gateway/ValueSet/who-for"
WHO_FOR_SYSTEM = "https://w3id.org/fhir-gateway/CodeSystem/who-for"


def parameters(**given: Any) -> Resource:
    parts = []
    for name, value in given.items():
        key = "resource" if isinstance(value, dict) and "resourceType" in value else "valueString"
        key = "valueBoolean" if isinstance(value, bool) else key
        key = "valueCoding" if key == "valueString" and isinstance(value, dict) else key
        parts.append({"name": name, key: value})
    return {"resourceType": "Parameters", "parameter": parts}


def named(resource: Resource, name: str) -> Any:
    (part,) = [p for p in resource["parameter"] if p["name"] == name]
    return next(v for k, v in part.items() if k.startswith("value") or k == "resource")


def errors(answer: Any) -> list[Resource]:
    assert answer.status_code == 200, answer.text
    return [i for i in answer.json()["issue"] if i["severity"] in ("error", "fatal")]


PATIENT = {"resourceType": "Patient", "gender": "female"}


def test_validate_takes_any_type_bare_or_as_parameters_without_a_token(world: Writing) -> None:
    assert errors(world.post("$validate", PATIENT, provider=None)) == []
    assert errors(world.post("Patient/$validate", parameters(resource=PATIENT))) == []
    observation = {"resourceType": "Observation", "status": "final"}
    (wrong,) = errors(world.post("$validate", observation, provider=None))
    assert "code" in wrong["diagnostics"]
    assert errors(world.post("$validate", {"resourceType": "Nonsense"}, provider=None))


def test_validate_says_where_and_repeats_nothing(world: Writing) -> None:
    answer = world.post("$validate", {**PATIENT, "birthDate": "Canary"}, provider=None)
    (wrong,) = errors(answer)
    assert wrong["expression"] == ["Patient.birthDate"]
    assert "Canary" not in answer.text
    assert errors(world.post("$validate", {**PATIENT, "gender": "x"}))


def test_validate_holds_a_response_against_its_questionnaire(world: Writing) -> None:
    assert errors(world.post("QuestionnaireResponse/$validate", world.response())) == []
    found = errors(world.post("$validate", world.response(item=[])))
    assert any(issue["code"] == "required" for issue in found)


def test_validate_lints_a_questionnaire(world: Writing) -> None:
    item = {"linkId": "a", "type": "choice", "text": "?"}
    questionnaire = {"resourceType": "Questionnaire", "status": "draft", "item": [item, item]}
    found = errors(world.post("Questionnaire/$validate", questionnaire, provider=None))
    assert any("duplicate-link-id" in issue["diagnostics"] for issue in found)


def test_validate_with_modes_and_profiles(world: Writing) -> None:
    unknown = parameters(resource=PATIENT, profile="https://example.org/p")
    assert [i["code"] for i in errors(world.post("$validate", unknown))] == ["not-found"]
    core = parameters(resource=PATIENT, profile="http://hl7.org/fhir/StructureDefinition/Patient")
    assert errors(world.post("$validate", core)) == []
    assert world.post("$validate", parameters(resource=PATIENT, mode="x")).status_code == 400
    assert world.post("$validate", parameters(mode="profile")).status_code == 400
    assert world.post("Task/$validate", PATIENT).status_code == 400


def test_validate_knows_profiles_that_are_at_hand(world: Writing) -> None:
    url = "https://trust.example/StructureDefinition/born"
    born = {"id": "Patient.birthDate", "path": "Patient.birthDate", "min": 1, "max": "1"}
    profile = {
        "resourceType": "StructureDefinition",
        "url": url,
        "type": "Patient",
        "kind": "resource",
        "snapshot": {"element": [{"id": "Patient", "path": "Patient"}, born]},
    }
    validator = Validator(
        world.gateway.parts.catalogue, Profiles([profile]), world.gateway.parts.clock
    )
    claims = {**PATIENT, "meta": {"profile": [url]}}
    for found in (validator.issues(PATIENT, url), validator.issues(claims)):
        assert [(one["severity"], one["expression"]) for one in found] == [
            ("error", ["Patient.birthDate"])
        ]
    assert validator.issues({**claims, "birthDate": "1984-03-12"}, url) == []
    assert validator.issues(PATIENT) == []


def test_validate_of_one_resource_needs_access_to_it(world: Writing) -> None:
    task = world.task()
    here = f"Task/{task['id']}/$validate"
    assert world.post(here, parameters()).status_code == 200
    assert errors(world.get(here)) == []
    assert world.get(here, provider=None).status_code == 401
    assert world.post(here, parameters(), provider=None).status_code == 401
    assert world.post(here, parameters(), provider=THEIRS).status_code == 404
    (kept,) = errors(world.post(here, parameters(mode="delete")))
    assert kept["code"] == "not-supported"
    moved = parameters(resource={**task, "id": "other"}, mode="update")
    assert errors(world.post(here, moved))[-1]["expression"] == ["Task.id"]


def test_populate_fills_in_what_is_known(world: Writing) -> None:
    answer = world.get(f"Questionnaire/$populate?canonical={MEDICAL}", provider=None)
    assert answer.status_code == 200, answer.text
    response = named(answer.json(), "response")
    assert response["questionnaire"].startswith(MEDICAL)
    assert response["status"] == "in-progress"
    questionnaire = {
        "resourceType": "Questionnaire",
        "status": "active",
        "extension": [
            {
                "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/"
                "sdc-questionnaire-launchContext",
                "extension": [
                    {"url": "name", "valueCoding": {"code": "patient"}},
                    {"url": "type", "valueCode": "Patient"},
                ],
            }
        ],
        "item": [
            {
                "linkId": "g",
                "type": "string",
                "text": "Gender",
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/"
                        "sdc-questionnaire-initialExpression",
                        "valueExpression": {
                            "language": "text/fhirpath",
                            "expression": "%patient.gender",
                        },
                    }
                ],
            }
        ],
    }
    given = parameters(questionnaire=questionnaire)
    given["parameter"].append(
        {
            "name": "context",
            "part": [
                {"name": "name", "valueString": "patient"},
                {"name": "content", "resource": PATIENT},
            ],
        }
    )
    response = named(world.post("Questionnaire/$populate", given).json(), "response")
    assert response["item"][0]["answer"] == [{"valueString": "female"}]


def test_assemble_puts_modules_in_place(world: Writing) -> None:
    answer = world.get(f"Questionnaire/$assemble?canonical={MEDICAL}", provider=None)
    assert answer.status_code == 200, answer.text
    assert answer.json()["resourceType"] == "Questionnaire"
    assert "subQuestionnaire" not in answer.text
    by_id = world.get("Questionnaire/pifu-medical/$assemble", provider=None)
    assert by_id.json()["item"] == answer.json()["item"]
    missing = {
        "resourceType": "Questionnaire",
        "status": "draft",
        "item": [
            {
                "linkId": "m",
                "type": "display",
                "extension": [
                    {
                        "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/"
                        "sdc-questionnaire-subQuestionnaire",
                        "valueCanonical": "https://example.org/none",
                    }
                ],
            }
        ],
    }
    assert world.post("Questionnaire/$assemble", missing, provider=None).status_code == 422


@pytest.mark.parametrize("path", ["Questionnaire/$populate", "Questionnaire/$assemble"])
def test_which_questionnaire_must_be_said(world: Writing, path: str) -> None:
    assert world.get(path, provider=None).status_code == 400
    assert world.get(f"{path}?canonical=https://example.org/x").status_code == 404
    assert world.post(path, PATIENT).status_code == 400


def test_expand_filters_and_pages(world: Writing) -> None:
    whole = world.get(f"ValueSet/$expand?url={WHO_FOR}", provider=None)
    assert whole.status_code == 200, whole.text
    contains = whole.json()["expansion"]["contains"]
    assert whole.json()["expansion"]["total"] == len(contains) > 1
    second = world.get(f"ValueSet/$expand?url={WHO_FOR}&offset=1&count=1").json()
    assert second["expansion"]["contains"] == contains[1:2]
    word = contains[0]["display"].upper()
    found = world.get(f"ValueSet/$expand?url={WHO_FOR}&filter={word}").json()["expansion"]
    assert contains[0] in found["contains"]
    assert world.get(f"ValueSet/$expand?url={WHO_FOR}&count=x").status_code == 400
    assert world.get("ValueSet/$expand?url=https://example.org/x").status_code == 404


def test_what_cannot_be_expanded_here_is_said(world: Writing) -> None:
    include = {"system": "http://snomed.info/sct", "filter": [{"property": "concept"}]}
    value_set = {"resourceType": "ValueSet", "status": "draft", "compose": {"include": [include]}}
    answer = world.post("ValueSet/$expand", value_set, provider=None)
    assert answer.status_code == 422


def test_validate_code_and_lookup(world: Writing) -> None:
    def verdict(path: str, **given: Any) -> bool:
        answer = world.post(path, parameters(**given), provider=None)
        assert answer.status_code == 200, answer.text
        return bool(named(answer.json(), "result"))

    here = "ValueSet/$validate-code"
    assert verdict(here, url=WHO_FOR, code="me", system=WHO_FOR_SYSTEM)
    assert not verdict(here, url=WHO_FOR, code="nobody", system=WHO_FOR_SYSTEM)
    assert not verdict(here, url=WHO_FOR, code="me", system="https://example.org/s")
    assert verdict(here, url=WHO_FOR, coding={"system": WHO_FOR_SYSTEM, "code": "me"})
    wrong = {"system": WHO_FOR_SYSTEM, "code": "me", "display": "Somebody"}
    assert not verdict(here, url=WHO_FOR, coding=wrong)
    assert verdict("CodeSystem/$validate-code", url=WHO_FOR_SYSTEM, code="me")
    found = world.get(f"CodeSystem/$lookup?system={WHO_FOR_SYSTEM}&code=me", provider=None).json()
    assert named(found, "display") == "Me"
    for code, system, status in (
        ("nobody", WHO_FOR_SYSTEM, 404),
        ("me", "https://example.org/s", 404),
        ("", WHO_FOR_SYSTEM, 400),
    ):
        answer = world.get(f"CodeSystem/$lookup?system={system}&code={code}")
        assert answer.status_code == status


def patient(key: str, *, number: bool = True) -> Resource:
    one = person(key)
    found: Resource = {
        "resourceType": "Patient",
        "name": [{"family": one.family, "given": [one.given]}],
        "birthDate": one.birth_date,
        "gender": one.gender,
        "address": [{"postalCode": one.postcode}],
    }
    if number:
        system = "https://fhir.nhs.uk/Id/nhs-number"
        found["identifier"] = [{"system": system, "value": one.nhs_number}]
    return found


def matches(answer: Any) -> list[Resource]:
    assert answer.status_code == 200, answer.text
    return [e for e in answer.json()["entry"] if e["search"]["mode"] == "match"]


@pytest.mark.parametrize("number", [True, False])
def test_match_finds_a_person_with_a_grade(world: Writing, number: bool) -> None:
    (found,) = matches(world.post("Patient/$match", patient("typical", number=number)))
    assert found["fullUrl"].startswith("http://")
    assert found["fullUrl"].endswith(f"/Patient/{found['resource']['id']}")
    assert found["resource"]["id"] == person("typical").nhs_number
    (grade,) = found["search"]["extension"]
    assert grade["valueCode"] == "probable"
    assert 0 < found["search"]["score"] <= 1
    # Nobody's phone was verified: certain is never said.
    certain = parameters(resource=patient("typical"), onlyCertainMatches=True)
    assert matches(world.post("Patient/$match", certain)) == []


@pytest.mark.parametrize("key", ["restricted", "deceased"])
def test_match_never_shows_who_must_not_be_shown(world: Writing, key: str) -> None:
    answer = world.post("Patient/$match", patient(key))
    assert matches(answer) == []
    assert person(key).postcode not in answer.text


def test_match_is_kept_with_who_asked_and_why(world: Writing) -> None:
    world.post("Patient/$match", parameters(resource=patient("typical"), reason="Booking"))
    from sqlalchemy import select

    from fhir_gateway.store.tables import OperatorTraceRow

    with world.gateway.database.transaction() as tx:
        (row,) = tx.session.scalars(select(OperatorTraceRow)).all()
        asked = tx.sealer.open(row.asked_sealed)
    assert row.operator.startswith("client ")
    assert (row.ods_code, row.calls, asked["reason"]) == ("RZZ99", 1, "Booking")


def test_match_needs_a_token_its_scope_and_an_organisation(world: Writing) -> None:
    body = patient("typical")
    assert world.post("Patient/$match", body, provider=None).status_code == 401
    assert world.post("Patient/$match", body, scopes="system/Task.cruds").status_code == 403
    assert world.post("Patient/$match", body, provider="ALL").status_code == 400
    other = parameters(resource=body, provider=THEIRS)
    assert world.post("Patient/$match", other).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Canary"},
        {"name": [], "identifier": []},
        {"birthDate": 7},
        {"name": [{"family": ["Canary"], "given": "x"}], "identifier": []},
        {"name": [7], "address": [None]},
    ],
)
def test_match_of_what_is_no_patient(world: Writing, change: dict[str, Any]) -> None:
    answer = world.post("Patient/$match", {**patient("typical"), **change})
    assert answer.status_code in (200, 422), answer.text
    assert "Canary" not in answer.text
