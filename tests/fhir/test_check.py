"""The check at the border: what must not leave as R4."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.fhir import check
from fhir_gateway.fhir.check import REQUIRED_CODES

TASK: dict[str, Any] = {"resourceType": "Task", "status": "requested", "intent": "order"}
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "name": [{"family": "Sharma", "given": ["Priya"]}],
    "birthDate": "1984-03-12",
}


def errors(resource: dict[str, Any]) -> list[str]:
    return [
        issue["diagnostics"] for issue in check.problems(resource) if issue["severity"] == "error"
    ]


@pytest.mark.parametrize("resource", [TASK, PATIENT])
def test_nothing_is_wrong_with_a_valid_resource(resource: dict[str, Any]) -> None:
    assert check.problems(resource) == []


@pytest.mark.parametrize("resource", [{}, {"resourceType": 5}, {"resourceType": "Wish"}])
def test_what_is_no_resource_of_r4_is_said_so(resource: dict[str, Any]) -> None:
    assert errors(resource) == ["resourceType is missing or not of R4"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"birthDate": "12/03/1984"}, "birthDate"),
        ({"unknownElement": 1}, "unknownElement"),
        ({"name": "Priya"}, "name"),
        ({"name": []}, "property 'name' is empty"),
        ({"gender": ""}, "property 'gender' is empty"),
        ({"telecom": None}, "property 'telecom' is empty"),
        ({"gender": "f"}, "Patient.gender has a code outside its required binding"),
        ({"language": "en\x00"}, "property 'language' has control characters"),
        ({"name": [{"given": ["Pri\x07ya"]}]}, "property 'given' has control characters"),
        ({"contained": [{"resourceType": "Wish"}]}, "a contained resource"),
    ],
)
def test_each_hole_is_closed(change: dict[str, Any], said: str) -> None:
    found = errors({**PATIENT, **change})
    assert any(said in text for text in found), found


@pytest.mark.parametrize(("place", "allowed"), REQUIRED_CODES.items(), ids=str)
def test_required_codes_are_checked(place: tuple[str, str], allowed: list[str]) -> None:
    resource_type, element = place
    wrong = {"resourceType": resource_type, element: "made-up"}
    assert any(f"{resource_type}.{element} has a code" in text for text in errors(wrong))
    right = {"resourceType": resource_type, element: allowed[0]}
    assert not any(f"{resource_type}.{element} has a code" in text for text in errors(right))


@pytest.mark.hazard("H11")
@pytest.mark.parametrize(
    "inside",
    ["<script>alert(1)</script>", '<p onclick="x()">a</p>', "<iframe/>", "< form>", "<STYLE>"],
)
def test_a_narrative_with_active_content_does_not_leave(inside: str) -> None:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{inside}</div>'
    resource = {**PATIENT, "text": {"status": "generated", "div": div}}
    assert "narrative has active content" in errors(resource)


def test_the_same_words_as_plain_text_are_no_active_content() -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml">&lt;script&gt; and location=x</div>'
    resource = {**PATIENT, "text": {"status": "generated", "div": div}}
    assert "narrative has active content" not in errors(resource)


@pytest.mark.hazard("H08")
def test_what_is_said_does_not_quote_the_data() -> None:
    said = " ".join(errors({**PATIENT, "birthDate": "Canary", "gender": "Canary"}))
    assert said
    assert "Canary" not in said


def test_a_code_without_a_system_is_a_warning() -> None:
    resource = {**TASK, "code": {"coding": [{"code": "x"}]}}
    (only,) = check.problems(resource)
    assert (only["severity"], only["code"]) == ("warning", "code-invalid")


def test_a_number_beyond_all_bounds_is_an_answer_and_no_crash() -> None:
    answer = {"linkId": "x", "answer": [{"valueInteger": 10**30}]}
    response = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": [answer]}
    assert errors(response) == ["a number is beyond what FHIR allows"]


@pytest.mark.parametrize(
    ("resource", "code", "text", "place"),
    [
        ({"resourceType": "Observation", "status": "final"}, "required", "is required", "code"),
        (
            {"resourceType": "Patient", "colour": "red"},
            "structure",
            "is no element of R4",
            "colour",
        ),
        ({"resourceType": "Patient", "birthDate": "x"}, "structure", "no valid value", "birthDate"),
    ],
)
def test_what_is_wrong_is_said_in_words(
    resource: dict[str, str], code: str, text: str, place: str
) -> None:
    (found,) = check.problems(resource)
    expression = f"{resource['resourceType']}.{place}"
    assert (found["code"], found["expression"]) == (code, [expression])
    assert found["diagnostics"].startswith(expression)
    assert text in found["diagnostics"]


def test_a_name_that_is_none_of_fhir_s_is_not_repeated() -> None:
    found = check.problems({"resourceType": "Patient", "Ann Smith": "x"})
    assert found
    assert "Ann" not in str(found)
