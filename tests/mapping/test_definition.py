"""Definition-based and Observation-based extraction, from a foreign Questionnaire."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.fhir.bundle import resources
from fhir_gateway.mapping import extract
from fhir_gateway.mapping.extensions import (
    DEFINITION_EXTRACT,
    DEFINITION_EXTRACT_VALUE,
    ITEM_EXTRACTION_CONTEXT,
    OBSERVATION_CATEGORY,
    OBSERVATION_EXTRACT,
    UNIT,
)
from tests.mapping.forms import Json, allocates, answer, form, group, item, response

PATIENT = "http://hl7.org/fhir/StructureDefinition/Patient"


def made(questionnaire: Json, answers: Json, **options: Any) -> list[Json]:
    return list(resources(extract(questionnaire, answers, **options).bundle))


def makes(definition: str, **parts: str) -> Json:
    nested = [{"url": "definition", "valueCanonical": definition}]
    nested.extend({"url": name, "valueString": text} for name, text in parts.items())
    return {"url": DEFINITION_EXTRACT, "extension": nested}


def says(definition: str, **given: Any) -> Json:
    nested: list[Json] = [{"url": "definition", "valueUri": definition}]
    for key, value in given.items():
        url = "expression" if key == "valueExpression" else "fixed-value"
        nested.append({"url": url, key: value})
    return {"url": DEFINITION_EXTRACT_VALUE, "extension": nested}


def at(link_id: str, path: str, kind: str = "string", *extensions: Json, **more: Any) -> Json:
    return item(link_id, kind, *extensions, definition=f"{PATIENT}#{path}", **more)


def test_siblings_fill_one_name_and_a_second_phone_is_a_second_entry() -> None:
    form_ = form(
        item(
            "g",
            "group",
            makes(PATIENT),
            item=[
                at("given", "Patient.name.given", repeats=True),
                at("family", "Patient.name.family"),
                at("phone", "Patient.telecom.value"),
                at("phone2", "Patient.telecom.value"),
            ],
        )
    )
    given = group(
        "g",
        answer("given", "A", "B"),
        answer("family", "F"),
        answer("phone", "1"),
        answer("phone2", "2"),
    )
    assert made(form_, response(given)) == [
        {
            "resourceType": "Patient",
            "name": [{"given": ["A", "B"], "family": "F"}],
            "telecom": [{"value": "1"}, {"value": "2"}],
        }
    ]


def test_values_of_one_question_do_not_mix_with_its_siblings() -> None:
    def phone(link_id: str, use: str) -> Json:
        return at(
            link_id,
            "Patient.telecom.value",
            "string",
            says(f"{PATIENT}#Patient.telecom.system", valueCode="phone"),
            says(f"{PATIENT}#Patient.telecom.use", valueCode=use),
        )

    form_ = form(item("g", "group", makes(PATIENT), item=[phone("a", "home"), phone("b", "work")]))
    [patient] = made(form_, response(group("g", answer("a", "1"), answer("b", "2"))))
    assert patient["telecom"] == [
        {"system": "phone", "use": "home", "value": "1"},
        {"system": "phone", "use": "work", "value": "2"},
    ]


def test_expressions_allocated_ids_and_requests() -> None:
    form_ = form(
        item(
            "g",
            "group",
            makes(PATIENT, fullUrl="%p", ifNoneExist="'identifier=x'"),
            says(
                f"{PATIENT}#Patient.generalPractitioner.display",
                valueExpression={"language": "text/fhirpath", "expression": "item.answer.value"},
            ),
            item=[item("gp")],
        ),
        extensions=(allocates("p"),),
    )
    [entry] = extract(form_, response(group("g", answer("gp", "%resource.id")))).bundle["entry"]
    assert entry["resource"]["generalPractitioner"] == [{"display": "%resource.id"}]
    assert entry["fullUrl"].startswith("urn:uuid:")
    assert entry["request"]["ifNoneExist"] == "identifier=x"


@pytest.mark.parametrize(
    ("path", "kind", "key", "given", "expected"),
    [
        ("gender", "choice", "valueCoding", {"code": "male"}, {"gender": "male"}),
        (
            "maritalStatus",
            "choice",
            "valueCoding",
            {"code": "M"},
            {"maritalStatus": {"coding": [{"code": "M"}]}},
        ),
        ("maritalStatus", "string", "valueString", "x", {"maritalStatus": {"text": "x"}}),
        ("deceased", "boolean", "valueBoolean", False, {"deceasedBoolean": False}),
        (
            "deceased[x]",
            "dateTime",
            "valueDateTime",
            "2026-03-04T00:00:00Z",
            {"deceasedDateTime": "2026-03-04T00:00:00Z"},
        ),
        (
            "multipleBirth[x]:multipleBirthInteger",
            "integer",
            "valueInteger",
            2,
            {"multipleBirthInteger": 2},
        ),
        ("birthDate", "date", "valueDate", "1970-01-01", {"birthDate": "1970-01-01"}),
    ],
)
def test_answers_become_the_type_of_their_element(
    path: str, kind: str, key: str, given: Any, expected: Json
) -> None:
    form_ = form(item("g", "group", makes(PATIENT), item=[at("a", f"Patient.{path}", kind)]))
    found = made(form_, response(group("g", answer("a", given, key=key))))
    assert found == [{"resourceType": "Patient", **expected}]


def test_a_path_that_is_none_is_an_issue() -> None:
    form_ = form(item("g", "group", makes(PATIENT), item=[at("a", "Patient.colour")]))
    extraction = extract(form_, response(group("g", answer("a", "blue"))))
    assert "Patient.colour: no such element" in extraction.outcome["issue"][0]["diagnostics"]


def test_a_profile_is_claimed_and_what_it_fixes_is_set() -> None:
    url = "https://example.org/StructureDefinition/ours"
    definition = {
        "resourceType": "StructureDefinition",
        "url": url,
        "type": "Patient",
        "differential": {
            "element": [{"id": "Patient.active", "path": "Patient.active", "fixedBoolean": True}]
        },
    }
    form_ = form(
        item("g", "group", makes(url), item=[item("a", definition=f"{url}#Patient.name.text")])
    )
    found = made(form_, response(group("g", answer("a", "x"))), resources=[definition])
    assert found == [
        {
            "resourceType": "Patient",
            "meta": {"profile": [url]},
            "active": True,
            "name": [{"text": "x"}],
        }
    ]


def test_the_extension_of_sdc_3_makes_a_resource_for_each_instance() -> None:
    extension = {"url": ITEM_EXTRACTION_CONTEXT, "valueCode": "Patient"}
    form_ = form(item("g", "group", extension, repeats=True, item=[at("a", "Patient.name.family")]))
    given = response(group("g", answer("a", "x")), group("g", answer("a", "y")))
    assert [r["name"][0]["family"] for r in made(form_, given)] == ["x", "y"]


def observed(kind: str, *extensions: Json) -> Json:
    return item(
        "w",
        kind,
        {"url": OBSERVATION_EXTRACT, "valueBoolean": True},
        *extensions,
        text="Weight",
        code=[{"system": "http://loinc.org", "code": "29463-7"}],
    )


def test_a_coded_answer_becomes_an_observation() -> None:
    unit = {
        "url": UNIT,
        "valueCoding": {"system": "http://unitsofmeasure.org", "code": "kg", "display": "kg"},
    }
    category = {"url": OBSERVATION_CATEGORY, "valueCodeableConcept": {"text": "vital signs"}}
    form_ = form(observed("decimal", unit, category))
    more = {
        "authored": "2026-03-04T09:30:00Z",
        "subject": {"reference": "Patient/1"},
        "author": {"reference": "Patient/1"},
    }
    assert made(form_, response(answer("w", 70.5, key="valueDecimal"), **more)) == [
        {
            "resourceType": "Observation",
            "status": "final",
            "category": [{"text": "vital signs"}],
            "code": {
                "coding": [{"system": "http://loinc.org", "code": "29463-7"}],
                "text": "Weight",
            },
            "subject": {"reference": "Patient/1"},
            "effectiveDateTime": "2026-03-04T09:30:00Z",
            "issued": "2026-03-04T09:30:00Z",
            "performer": [{"reference": "Patient/1"}],
            "derivedFrom": [{"reference": "QuestionnaireResponse/r1"}],
            "valueQuantity": {
                "value": 70.5,
                "unit": "kg",
                "system": "http://unitsofmeasure.org",
                "code": "kg",
            },
        }
    ]


def test_a_group_has_its_questions_as_members_and_each_answer_is_one() -> None:
    panel = item("p", "group", code=[{"code": "panel"}], item=[observed("choice")])
    form_ = form(panel, extensions=({"url": OBSERVATION_EXTRACT, "valueBoolean": True},))
    codings = [{"code": "1"}, {"code": "2"}]
    found = extract(form_, response(group("p", answer("w", *codings, key="valueCoding")))).bundle[
        "entry"
    ]
    assert [e["resource"]["code"]["coding"][0]["code"] for e in found] == [
        "panel",
        "29463-7",
        "29463-7",
    ]
    members = [member["reference"] for member in found[0]["resource"]["hasMember"]]
    assert members == [found[1]["fullUrl"], found[2]["fullUrl"]]
    assert found[1]["resource"]["valueCodeableConcept"] == {"coding": [{"code": "1"}]}
