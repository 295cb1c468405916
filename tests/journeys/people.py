"""What the people of the journeys answer. All invented; see the sandbox PDS's personas."""

from __future__ import annotations

from fhir_gateway.sandbox.pds.personas import Persona
from tests.journeys.browsing import Answers


def about(who: Persona, *, code: bool = True) -> dict[str, str | list[str]]:
    """The demographics of a person who writes for themselves."""
    year, month, day = who.birth_date.split("-")
    return {
        "emergency-answer": "none",
        "who-for": "me",
        "patient-given": who.given,
        "patient-family": who.family,
        "patient-birth-date-day": str(int(day)),
        "patient-birth-date-month": str(int(month)),
        "patient-birth-date-year": year,
        "patient-sex": who.gender,
        "patient-postcode": who.postcode.lower().replace(" ", ""),
        "patient-nhs-number-known": "false",
        "patient-mobile": who.mobile or "",
        "verify-patient-mobile": "true" if code else "false",
        "preferred-contact": "text",
        "times-to-avoid": ["mornings", "lunchtimes"],
        "declaration": "true",
    }


def for_somebody(who: Persona, requester: Persona) -> Answers:
    """The answers of a person who writes for another."""
    return {
        **about(who),
        "who-for": "someone-else",
        "requester-given": requester.given,
        "requester-family": requester.family,
        "requester-relationship": "parent",
        "requester-permission": "parental-responsibility",
        "requester-mobile": requester.mobile or "",
        "requester-email": "parent@example.com",
        "contact-person": "requester",
        "patient-mobile": "",
        "verify-requester-mobile": "false",
    }


MEDICAL: Answers = {
    "request": "pifu-medical",
    "medical-problem": "Both hands are swollen and stiff.\nWorse in the morning.",
    "medical-onset": "weeks",
    "medical-course": "worse",
    "medical-tried": "Rest. It did not help.",
    "medical-help": ["advice", "appointment"],
    "communication-needs": ["large-print", "interpreter"],
    "communication-details": "An interpreter for Polish",
}

ADMIN: Answers = {
    "request": "pifu-admin",
    "admin-kind": "medication",
    "medication-request": "running-out",
    "medication-name": "Methotrexate 2.5mg tablets",
    "medication-details": "I have enough for 5 days.",
}
