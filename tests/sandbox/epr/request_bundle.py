"""Transactions as the gateway posts them, about people who do not exist."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from fhir_gateway.fhir.bundle import post_entry, transaction
from fhir_gateway.fhir.identifiers import (
    NHS_NUMBER,
    ODS_ORGANISATION,
    REFERENCE,
    REQUEST_ID,
    VERIFICATION_STATUS_EXTENSION,
    VERIFICATION_STATUS_SYSTEM,
    identifier,
    token,
)

CONTACT_PREFERENCE = (
    "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-ContactPreference"
)
BUSINESS_STATUS = "https://w3id.org/fhir-gateway/CodeSystem/request-identity"


def patient(
    number: str | None = "9990000018", *, family: str = "Okafor", status: str = "01"
) -> dict[str, Any]:
    """A Patient with an NHS number and what came of checking it; None: without a number."""
    extension = {
        "url": VERIFICATION_STATUS_EXTENSION,
        "valueCodeableConcept": {
            "coding": [{"system": VERIFICATION_STATUS_SYSTEM, "code": status}]
        },
    }
    own = identifier(NHS_NUMBER, number) if number else identifier(REQUEST_ID, str(uuid.uuid4()))
    return {
        "resourceType": "Patient",
        "identifier": [{"extension": [extension], **own} if number else own],
        "extension": [
            {
                "url": CONTACT_PREFERENCE,
                "extension": [
                    {
                        "url": "PreferredContactMethod",
                        "valueCodeableConcept": {"coding": [{"display": "Text message"}]},
                    },
                    {"url": "PreferredContactTimes", "valueString": "Not on Friday mornings"},
                ],
            }
        ],
        "name": [{"use": "usual", "family": family, "given": ["Adaeze", "Ruth"]}],
        "telecom": [
            {"system": "email", "value": "adaeze@example.org", "rank": 2},
            {"system": "phone", "value": "07700 900123", "use": "mobile", "rank": 1},
        ],
        "gender": "female",
        "birthDate": "1984-03-05",
        "address": [{"line": ["1 Test Street"], "city": "Leeds", "postalCode": "LS1 6AE"}],
    }


def related_person(patient_url: str) -> dict[str, Any]:
    """A daughter."""
    return {
        "resourceType": "RelatedPerson",
        "patient": {"reference": patient_url},
        "relationship": [{"text": "Daughter"}],
        "name": [{"family": "Okafor", "given": ["Ngozi"]}],
        "telecom": [{"system": "phone", "value": "07700 900456"}],
    }


def questionnaire_response(subject: str, source: str, request_id: str) -> dict[str, Any]:
    """A group with questions, one of them with a nested one, and a question outside groups."""
    return {
        "resourceType": "QuestionnaireResponse",
        "identifier": identifier(REQUEST_ID, request_id),
        "questionnaire": "https://w3id.org/fhir-gateway/Questionnaire/pifu-medical|1.0.0",
        "status": "completed",
        "subject": {"reference": subject},
        "source": {"reference": source},
        "authored": "2026-11-24T09:00:00Z",
        "item": [
            {
                "linkId": "problem",
                "text": "About the problem",
                "item": [
                    {
                        "linkId": "what",
                        "text": "What is the problem?",
                        "answer": [{"valueString": "My knee hurts.\nIt is <b>swollen</b>."}],
                    },
                    {
                        "linkId": "worse",
                        "text": "Is it getting worse?",
                        "answer": [
                            {
                                "valueBoolean": True,
                                "item": [
                                    {
                                        "linkId": "since",
                                        "text": "Since when?",
                                        "answer": [{"valueDate": "2026-11-01"}],
                                    }
                                ],
                            }
                        ],
                    },
                ],
            },
            {
                "linkId": "declared",
                "text": "I have permission to send this",
                "answer": [{"valueCoding": {"code": "yes", "display": "Yes, I have"}}],
            },
        ],
    }


def request_bundle(
    reference: str = "ABC-123",
    *,
    person: dict[str, Any] | None = None,
    proxy: bool = False,
    matched: bool = True,
    admin: bool = False,
    narrative: str = "<p>Knee pain since <b>1 November</b>.</p>",
    request_id: str | None = None,
) -> dict[str, Any]:
    """A whole request: conditional creates that refer to one another by urn:uuid.

    `reference` is what the patient was told, `request_id` the business identifier (None: new).
    """
    request_id = request_id or str(uuid.uuid4())
    names = "patient related focus answers task provenance".split()
    urls = {name: f"urn:uuid:{uuid.uuid4()}" for name in names}
    about = person or (patient() if matched else patient(None, status="04"))
    source = urls["related"] if proxy else urls["patient"]
    own = about["identifier"][0]
    same = f"identifier={token(REQUEST_ID, request_id)}"
    subject = {"reference": urls["patient"]}
    answers = questionnaire_response(urls["patient"], source, request_id)
    task = _task(reference, request_id, urls, admin, matched)
    focus = _focus(admin, subject, narrative, request_id)
    who = f"identifier={token(own['system'], own['value'])}"
    entries = [
        post_entry(urls["patient"], about, if_none_exist=who),
        post_entry(urls["focus"], focus, if_none_exist=same),
        post_entry(urls["answers"], answers, if_none_exist=same),
        post_entry(urls["task"], task, if_none_exist=same),
        post_entry(urls["provenance"], _provenance(urls, source)),
    ]
    if proxy:
        entries.insert(1, post_entry(urls["related"], related_person(urls["patient"])))
    return transaction(entries)


def send_request(epr: httpx.Client, *arguments: Any, **options: Any) -> str:
    """Post a `request_bundle` of these arguments; the path of its page in the inbox."""
    answer = epr.post("/fhir", json=request_bundle(*arguments, **options)).raise_for_status()
    locations = [entry["response"]["location"] for entry in answer.json()["entry"]]
    task = next(place for place in locations if place.startswith("Task/"))
    return f"/tasks/{task.split('/')[1]}"


def _focus(admin: bool, subject: Any, narrative: str, request_id: str) -> dict[str, Any]:
    own = {
        "identifier": [identifier(REQUEST_ID, request_id)],
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{narrative}</div>',
        },
        "subject": subject,
    }
    if admin:
        return {"resourceType": "Communication", **own, "status": "completed"}
    return {"resourceType": "ServiceRequest", **own, "status": "active", "intent": "proposal"}


def _task(
    reference: str, request_id: str, urls: dict[str, str], admin: bool, matched: bool
) -> dict[str, Any]:
    code = "matched" if matched else "unmatched"
    return {
        "resourceType": "Task",
        "identifier": [identifier(REQUEST_ID, request_id), identifier(REFERENCE, reference)],
        "status": "requested",
        "businessStatus": {"coding": [{"system": BUSINESS_STATUS, "code": code}]},
        "intent": "order",
        "code": {"text": "Admin request" if admin else "Medical request"},
        "focus": {"reference": urls["focus"]},
        "for": {"reference": urls["patient"]},
        "owner": {"identifier": identifier(ODS_ORGANISATION, "RZZ99")},
        "input": [
            {"type": {"text": "Answers"}, "valueReference": {"reference": urls["answers"]}},
            {"type": {"text": "Times to avoid"}, "valueString": "Monday morning"},
            {"type": {"text": "Times to avoid"}, "valueString": "Friday"},
            {
                "type": {"text": "NHS number verification status"},
                "valueCodeableConcept": {
                    "coding": [
                        {"system": VERIFICATION_STATUS_SYSTEM, "code": "01" if matched else "04"}
                    ]
                },
            },
        ],
    }


def _provenance(urls: dict[str, str], source: str) -> dict[str, Any]:
    return {
        "resourceType": "Provenance",
        "target": [{"reference": urls["focus"]}, {"reference": urls["task"]}],
        "recorded": "2026-11-24T09:00:05Z",
        "agent": [{"who": {"reference": source}}],
        "entity": [{"role": "source", "what": {"reference": urls["answers"]}}],
    }
