"""Resources for tests of the API: made-up people and their requests."""

from __future__ import annotations

from typing import Any

from fhir_gateway.fhir.types import Resource

NHS = "https://fhir.nhs.uk/Id/nhs-number"
REQUEST = "https://w3id.org/fhir-gateway/Id/request"
FORM = "https://w3id.org/fhir-gateway/Questionnaire/pifu-medical"


def patient(number: int = 1, **more: Any) -> Resource:
    """A patient; the family name, NHS number and year of birth tell its number."""
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "identifier": [{"system": NHS, "value": f"99900000{number:02}"}],
        "name": [
            {"family": f"Öztürk-{number}", "given": ["Ann", "Mary"], "text": "Mrs Ann Öztürk"}
        ],
        "telecom": [{"system": "phone", "value": f"07700 9000{number:02}", "use": "mobile"}],
        "gender": "female" if number % 2 else "male",
        "birthDate": f"{1950 + number}-03-05",
        "address": [{"postalCode": "LS1 4AP"}],
        **more,
    }


def response(number: int = 1, **more: Any) -> Resource:
    """Answers of that patient."""
    return {
        "resourceType": "QuestionnaireResponse",
        "id": f"r{number}",
        "identifier": {"system": REQUEST, "value": f"request-{number}"},
        "questionnaire": f"{FORM}|1.0.0",
        "status": "completed",
        "subject": {"reference": f"Patient/p{number}"},
        "authored": f"2026-11-{number:02}T09:30:00Z",
        **more,
    }


def service_request(number: int = 1, **more: Any) -> Resource:
    """What that patient asks for."""
    return {
        "resourceType": "ServiceRequest",
        "id": f"s{number}",
        "status": "active",
        "intent": "proposal",
        "subject": {"reference": f"Patient/p{number}"},
        "supportingInfo": [{"reference": f"QuestionnaireResponse/r{number}"}],
        **more,
    }


def task(number: int = 1, **more: Any) -> Resource:
    """The Task of that request."""
    return {
        "resourceType": "Task",
        "id": f"t{number}",
        "identifier": [{"system": REQUEST, "value": f"request-{number}"}],
        "status": "requested",
        "intent": "order",
        "code": {
            "coding": [{"system": "urn:kinds", "code": "medical", "display": "Médical request"}],
        },
        "focus": {"reference": f"ServiceRequest/s{number}"},
        "for": {"reference": f"Patient/p{number}"},
        "authoredOn": f"2026-11-{number:02}T09:30:00Z",
        "owner": {"type": "Organization", "identifier": {"system": "urn:ods", "value": "RX1"}},
        **more,
    }


def request(number: int = 1) -> list[Resource]:
    """All of a request."""
    return [patient(number), response(number), service_request(number), task(number)]
