"""The judge of our resources can tell right from wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.peers.hl7_validator.client import Hl7Validator

pytestmark = pytest.mark.java

Resource = dict[str, Any]
UKCORE = "https://fhir.hl7.org.uk/StructureDefinition"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
PATIENT_URN = "urn:uuid:5f3c7a52-7a27-4f0f-9a63-1f6f0a5b0001"
REQUEST_URN = "urn:uuid:5f3c7a52-7a27-4f0f-9a63-1f6f0a5b0002"
NOBODY_URN = "urn:uuid:5f3c7a52-7a27-4f0f-9a63-1f6f0a5b0003"
NARRATIVE = {
    "status": "generated",
    "div": '<div xmlns="http://www.w3.org/1999/xhtml">Of a synthetic person</div>',
}


def patient(**changes: Any) -> Resource:
    """A valid UK Core Patient, with these elements instead of its own."""
    verified = {
        "system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland",
        "code": "01",
    }
    status = {
        "url": f"{UKCORE}/Extension-UKCore-NHSNumberVerificationStatus",
        "valueCodeableConcept": {"coding": [verified]},
    }
    return {
        "resourceType": "Patient",
        "meta": {"profile": [f"{UKCORE}/UKCore-Patient"]},
        "text": NARRATIVE,
        "identifier": [{"extension": [status], "system": NHS_NUMBER, "value": "9990000018"}],
        "name": [{"use": "official", "family": "Testcase", "given": ["Thea"]}],
        "gender": "female",
        "birthDate": "1970-01-31",
        "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "en"}]}}],
        **changes,
    }


def service_request(subject: str = "Patient/1") -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "meta": {"profile": [f"{UKCORE}/UKCore-ServiceRequest"]},
        "text": NARRATIVE,
        "status": "active",
        "intent": "proposal",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "3457005"}]},
        "subject": {"reference": subject},
    }


def transaction(patient: Resource, request: Resource) -> Resource:
    entries = {PATIENT_URN: patient, REQUEST_URN: request}
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": urn,
                "resource": resource,
                "request": {"method": "POST", "url": resource["resourceType"]},
            }
            for urn, resource in entries.items()
        ],
    }


def questionnaire(url: str, version: str = "1") -> Resource:
    return {
        "resourceType": "Questionnaire",
        "text": NARRATIVE,
        "url": url,
        "version": version,
        "name": "Pain",
        "title": "Pain",
        "status": "active",
        "item": [
            {"linkId": "where", "type": "string", "text": "Where is it?", "required": True},
            {"linkId": "days", "type": "integer", "text": "For how many days?"},
        ],
    }


def response(questionnaire: str, *items: Resource) -> Resource:
    answered = {"item": list(items)} if items else {}
    return {
        "resourceType": "QuestionnaireResponse",
        "text": NARRATIVE,
        "questionnaire": questionnaire,
        "status": "completed",
        **answered,
    }


def test_a_valid_uk_core_patient_passes(ukcore_validator: Hl7Validator) -> None:
    assert ukcore_validator.errors(patient()) == []


@pytest.mark.parametrize(
    ("changes", "location", "rule"),
    [
        (
            {"identifier": [{"system": NHS_NUMBER}]},
            "Patient.identifier[0]",
            "Patient.identifier:nhsNumber.value: minimum required = 1",
        ),
        (
            {"identifier": [{"system": NHS_NUMBER, "value": f"999000001{n}"} for n in (8, 9)]},
            "Patient",
            "Patient.identifier:nhsNumber: max allowed = 1",
        ),
        ({"gender": "woman"}, "Patient.gender", "administrative-gender#woman"),
        (
            {"communication": [{"preferred": True}]},
            "Patient.communication[0]",
            "Patient.communication.language: minimum required = 1",
        ),
        ({"birthDate": "1970-02-31"}, "Patient.birthDate", "1970-02-31"),
        ({"colour": "blue"}, "Patient", "colour"),
    ],
    ids=["nhs-number-empty", "nhs-number-twice", "gender", "language", "date", "element"],
)
def test_a_wrong_uk_core_patient_fails_where_it_is_wrong(
    ukcore_validator: Hl7Validator, changes: Resource, location: str, rule: str
) -> None:
    issues = ukcore_validator.validate(patient(**changes))
    errors = [issue for issue in issues if issue.severity in ("error", "fatal")]
    assert any(issue.location == location and rule in issue.text for issue in errors), issues


def test_a_service_request_without_subject_fails(ukcore_validator: Hl7Validator) -> None:
    request = service_request()
    del request["subject"]
    [error] = ukcore_validator.errors(request)
    assert "ServiceRequest.subject: minimum required = 1" in error


def test_codes_of_snomed_ct_only_warn(ukcore_validator: Hl7Validator) -> None:
    issues = ukcore_validator.validate(service_request())
    about_code = [issue for issue in issues if issue.location == "ServiceRequest.code"]
    assert [issue.severity for issue in about_code] == ["warning"]


def test_a_profile_asked_for_is_judged_besides_those_claimed(
    ukcore_validator: Hl7Validator,
) -> None:
    modest = patient(identifier=[{"system": NHS_NUMBER}])
    del modest["meta"]
    assert ukcore_validator.errors(modest) == []
    [error] = ukcore_validator.errors(modest, [f"{UKCORE}/UKCore-Patient"])
    assert "Patient.identifier:nhsNumber.value: minimum required = 1" in error


def test_entries_of_a_bundle_are_judged_by_their_own_profiles(
    ukcore_validator: Hl7Validator,
) -> None:
    good = transaction(patient(), service_request(PATIENT_URN))
    assert ukcore_validator.errors(good) == []
    bad = transaction(patient(communication=[{"preferred": True}]), service_request(PATIENT_URN))
    errors = ukcore_validator.errors(bad)
    assert any("Patient.communication.language: minimum required = 1" in text for text in errors)


@pytest.mark.parametrize(
    ("subject", "message_id"),
    [(NOBODY_URN, "Reference_REF_CantResolve"), (REQUEST_URN, "Reference_REF_BadTargetType")],
    ids=["to-nothing", "to-the-wrong-type"],
)
def test_a_wrong_reference_within_a_transaction_fails(
    ukcore_validator: Hl7Validator, subject: str, message_id: str
) -> None:
    issues = ukcore_validator.validate(transaction(patient(), service_request(subject)))
    assert message_id in {issue.message_id for issue in issues if issue.severity == "error"}


@pytest.mark.parametrize(
    "subject", ["Patient/1", f"Patient?identifier={NHS_NUMBER}|9990000018", "https://epr/Patient/1"]
)
def test_a_reference_to_the_receiving_server_is_taken_on_trust(
    ukcore_validator: Hl7Validator, subject: str
) -> None:
    assert ukcore_validator.errors(transaction(patient(), service_request(subject))) == []


def test_a_response_that_fits_its_questionnaire_passes(hl7_validator: Hl7Validator) -> None:
    url = "https://w3id.org/fhir-gateway/tests/Questionnaire/fits"
    hl7_validator.learn(questionnaire(url))
    answered = {"linkId": "where", "answer": [{"valueString": "Left knee"}]}
    assert hl7_validator.errors(response(f"{url}|1", answered)) == []
    assert hl7_validator.errors(response(url, answered)) == []


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([{"linkId": "where", "answer": [{"valueInteger": 3}]}], "must be of the type string"),
        ([{"linkId": "days", "answer": [{"valueInteger": 3}]}], "required item 'where'"),
        ([{"linkId": "why", "answer": [{"valueString": "It hurts"}]}], "LinkId 'why' not found"),
    ],
    ids=["type", "required", "unknown-item"],
)
def test_a_response_that_breaks_its_questionnaire_fails(
    hl7_validator: Hl7Validator, items: list[Resource], text: str
) -> None:
    url = "https://w3id.org/fhir-gateway/tests/Questionnaire/breaks"
    hl7_validator.learn(questionnaire(url))
    errors = hl7_validator.errors(response(f"{url}|1", *items))
    assert any(text in error for error in errors), errors


def test_a_questionnaire_learnt_again_replaces_the_earlier_one(hl7_validator: Hl7Validator) -> None:
    url = "https://w3id.org/fhir-gateway/tests/Questionnaire/changes"
    answered = response(f"{url}|1", {"linkId": "where", "answer": [{"valueString": "Left knee"}]})
    first = questionnaire(url)
    hl7_validator.learn(first)
    assert hl7_validator.errors(answered) == []
    hl7_validator.learn(first | {"item": first["item"][1:]})
    assert len(hl7_validator.errors(answered)) == 1


@pytest.mark.parametrize("known", ["", "|7"], ids=["url", "version"])
def test_a_response_to_an_unknown_questionnaire_is_not_passed_unjudged(
    hl7_validator: Hl7Validator, known: str
) -> None:
    # One of its own each: the processes of a test run share what the validator has learnt.
    name = "unknown-version" if known else "unknown-url"
    url = f"https://w3id.org/fhir-gateway/tests/Questionnaire/{name}{known}"
    if known:
        hl7_validator.learn(questionnaire(url.removesuffix(known)))
    answered = {"linkId": "where", "answer": [{"valueString": "Left knee"}]}
    [error] = hl7_validator.errors(response(url, answered))
    assert "could not be resolved" in error


def test_the_questionnaires_of_the_project_are_known(hl7_validator: Hl7Validator) -> None:
    folder = Path(__file__).parents[2] / "questionnaires"
    published = [json.loads(path.read_text()) for path in folder.glob("Questionnaire-*.json")]
    if not published:
        pytest.skip("the project has no Questionnaires yet")
    for form in published:
        issues = hl7_validator.validate(response(f"{form['url']}|{form['version']}"))
        assert "Questionnaire_QR_Q_NotFound" not in {issue.message_id for issue in issues}


def test_a_missing_narrative_is_a_warning(hl7_validator: Hl7Validator) -> None:
    bare = {"resourceType": "Patient", "gender": "other"}
    [issue] = hl7_validator.validate(bare)
    assert issue.severity == "warning"
    assert issue.message_id == "http://hl7.org/fhir/StructureDefinition/DomainResource#dom-6"
    assert hl7_validator.errors(bare) == []


def test_a_claimed_profile_that_is_not_loaded_is_an_error(hl7_validator: Hl7Validator) -> None:
    profile = "https://w3id.org/fhir-gateway/tests/StructureDefinition/nowhere"
    claim = {"resourceType": "Patient", "meta": {"profile": [profile]}, "text": NARRATIVE}
    errors = hl7_validator.errors(claim)
    assert any(f"Profile reference '{profile}' has not been checked" in error for error in errors)


def test_a_profile_asked_for_that_is_not_loaded_is_refused(hl7_validator: Hl7Validator) -> None:
    with pytest.raises(RuntimeError, match="The profile https://nowhere/x is not loaded"):
        hl7_validator.validate({"resourceType": "Patient"}, ["https://nowhere/x"])


def test_what_is_no_resource_fails(hl7_validator: Hl7Validator) -> None:
    assert hl7_validator.errors({"resourceType": "Patent"})
    assert hl7_validator.errors({"gender": "other"})
