"""FHIR values in plain English, for staff. All text is plain and is escaped where it is shown.

Dates, times and NHS numbers as the NHS digital service manual writes them
(https://service-manual.nhs.uk/content/numbers-measurements-dates-time).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from fhir_gateway.fhir.identifiers import (
    NHS_NUMBER,
    VERIFICATION_STATUS_EXTENSION,
    VERIFICATION_STATUS_SYSTEM,
    spaced_nhs_number,
)
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str, extension_value
from fhir_gateway.questionnaire.response import value_of
from fhir_gateway.web.display import long_date

_LONDON = ZoneInfo("Europe/London")
_NOON = 12
#: UKCore-NHSNumberVerificationStatusEngland, codes 01 to 08, in our words.
_VERIFICATION = {
    "01": "Checked against the NHS record and verified",
    "02": "Given, but not checked against the NHS record",
    "03": "Still to be checked against the NHS record",
    "04": "Checked, but no record or more than one record matched",
    "05": "Checked, and there is a conflict to be resolved",
    "06": "Being checked against the NHS record",
    "07": "Not given, and a check is not needed",
    "08": "Check put off, because the patient is a newborn baby",
}
_CONTACT_SYSTEMS = {"phone": "Phone", "email": "Email", "sms": "Text message", "fax": "Fax"}


def moment(text: str) -> str:
    """A FHIR date, dateTime or instant: `24 November 2026 at 3:05pm`, in UK time."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return long_date(text)
    if found.tzinfo is None:
        return long_date(text)
    local = found.astimezone(_LONDON)
    return f"{long_date(local.date().isoformat())} at {_clock(local)}"


def person_name(resource: Resource) -> str:
    """The usual or official name of a Patient, RelatedPerson or Practitioner."""
    names = [as_dict(name) for name in as_list(resource.get("name"))]
    names.sort(key=lambda name: name.get("use") in ("old", "maiden", "nickname", "anonymous"))
    if not names:
        return "Name not given"
    given = [part for part in as_list(names[0].get("given")) if isinstance(part, str)]
    parts = [*given, as_str(names[0].get("family"))]
    return " ".join(filter(None, parts)) or as_str(names[0].get("text")) or "Name not given"


def nhs_number(patient: Resource) -> str:
    """The NHS number, spaced 3-3-4, or that there is none."""
    for identifier in _nhs_identifiers(patient):
        value = as_str(identifier.get("value"))
        if value:
            return spaced_nhs_number(value)
    return "Not given"


def verification(patient: Resource) -> str:
    """In words, what came of checking the NHS number; '' when nothing is said about it."""
    for holder in (*_nhs_identifiers(patient), *map(as_dict, as_list(patient.get("identifier")))):
        concept = extension_value(holder, VERIFICATION_STATUS_EXTENSION)
        if concept:
            return verification_status(concept) or concept_text(concept)
    return ""


def verification_status(concept: Any) -> str:
    """An NHS number verification status in words; '' for a concept that is something else."""
    for coding in map(as_dict, as_list(as_dict(concept).get("coding"))):
        if coding.get("system") == VERIFICATION_STATUS_SYSTEM:
            return _VERIFICATION.get(as_str(coding.get("code")), concept_text(concept))
    return ""


def concept_text(concept: Any) -> str:
    """A CodeableConcept or Coding: its text, else the display of a coding, else a code."""
    found = as_dict(concept)
    codings = [found, *map(as_dict, as_list(found.get("coding")))]
    texts = [as_str(found.get("text"))]
    texts += [as_str(coding.get("display")) for coding in codings]
    texts += [as_str(coding.get("code")) for coding in codings]
    return next(filter(None, texts), "")


def contacts(resource: Resource) -> Iterator[tuple[str, str]]:
    """How a person can be reached: kind (such as Phone) and number or address, preferred first."""
    points = [as_dict(point) for point in as_list(resource.get("telecom"))]
    points.sort(key=lambda point: point["rank"] if isinstance(point.get("rank"), int) else 99)
    for point in points:
        value = as_str(point.get("value"))
        if value:
            kind = _CONTACT_SYSTEMS.get(as_str(point.get("system")), "Other contact")
            mobile = kind == "Phone" and point.get("use") == "mobile"
            yield "Mobile phone" if mobile else kind, value


def addresses(resource: Resource) -> Iterator[str]:
    """Postal addresses, on one line each."""
    for address in map(as_dict, as_list(resource.get("address"))):
        lines = [as_str(line) for line in as_list(address.get("line"))]
        lines += [as_str(address.get(part)) for part in ("city", "district", "postalCode")]
        text = ", ".join(filter(None, lines)) or as_str(address.get("text"))
        if text:
            yield text


def answer_text(answer: Element) -> str:
    """The value[x] of an answer to a question, or of another element that has one, as text."""
    kind, value = value_of(answer)
    match kind:
        case "Boolean":
            return "Yes" if value is True else "No"
        case "Coding" | "CodeableConcept":
            return concept_text(value)
        case "Date" | "DateTime":
            return moment(as_str(value))
        case "Quantity":
            quantity = as_dict(value)
            unit = as_str(quantity.get("unit")) or as_str(quantity.get("code"))
            return f"{_number(quantity.get('value'))} {unit}".strip()
        case "Integer" | "Decimal":
            return _number(value)
        case "Attachment":
            return as_str(as_dict(value).get("title")) or "A file"
        case "Reference":
            return as_str(as_dict(value).get("display")) or as_str(as_dict(value).get("reference"))
        case _:
            return as_str(value)


def _nhs_identifiers(patient: Resource) -> list[Element]:
    found = map(as_dict, as_list(patient.get("identifier")))
    return [identifier for identifier in found if identifier.get("system") == NHS_NUMBER]


def _clock(local: datetime) -> str:
    """`3pm`, `3:05pm`, `midday` or `midnight`."""
    if local.minute == 0 and local.hour % _NOON == 0:
        return "midday" if local.hour == _NOON else "midnight"
    hour = local.hour % _NOON or _NOON
    minutes = f":{local.minute:02}" if local.minute else ""
    return f"{hour}{minutes}{'pm' if local.hour >= _NOON else 'am'}"


def _number(value: Any) -> str:
    return str(value) if isinstance(value, int | Decimal) else ""
