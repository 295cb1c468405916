"""A whole request as a document that staff read: who, what, when, and every answer.

The content once, as lines with a role; document_text.py and document_pdf.py set it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from fhir_gateway.fhir.identifiers import spaced_nhs_number
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.fhir.wording import person_name, worded
from fhir_gateway.questionnaire.response import value_of

MAX_DEPTH = 12
_MONTHS = (
    "January February March April May June July August September October November December"
).split()


@dataclass(frozen=True, slots=True)
class Line:
    """One paragraph. `role`: heading, question (with the answers below it), or answer."""

    role: str
    text: str
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """Title, where it goes, facts about the request (label and text), and all that was answered."""

    title: str
    service: str
    reference: str
    facts: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    moment: datetime


def document_of(response: Resource, context: Mapping[str, Any], moment: datetime) -> Document:
    """The document of a request. `response`: without disabled answers. `context`: the launch
    context (docs/mappings.md). `moment`: when the request was accepted."""
    request = as_dict(context.get("request"))
    organisation = as_str(as_dict(context.get("organisation")).get("name"))
    service = as_str(as_dict(context.get("service")).get("name"))
    return Document(
        title=as_str(request.get("kindDisplay")) or "Request",
        service=", ".join(name for name in (service, organisation) if name),
        reference=as_str(request.get("reference")),
        facts=tuple(_facts(context, moment)),
        lines=tuple(_lines(response.get("item"), 0)),
        moment=moment,
    )


def _facts(context: Mapping[str, Any], moment: datetime) -> Iterator[tuple[str, str]]:
    request = as_dict(context.get("request"))
    patient = as_dict(context.get("submittedPatient"))
    requester = as_dict(context.get("submittedRequester"))
    if request.get("reference"):
        yield "Reference", as_str(request["reference"])
    yield "Received", f"{_day(moment.date())}, {moment:%H:%M}"
    name = person_name(as_dict((as_list(patient.get("name")) or [{}])[0]))
    if name:
        yield "Patient", name
    if as_str(patient.get("birthDate")):
        yield "Date of birth", readable_date(as_str(patient["birthDate"]))
    yield from _identity(as_dict(context.get("identity")))
    yield "Sent by", _sender(requester)
    for telecom in map(as_dict, as_list((requester or patient).get("telecom"))):
        yield "Email" if telecom.get("system") == "email" else "Phone", as_str(telecom.get("value"))


def _identity(identity: Element) -> Iterator[tuple[str, str]]:
    number = as_str(identity.get("nhsNumber"))
    if number:
        yield "NHS number", spaced_nhs_number(number)
    if identity:
        matched = identity.get("matched") is True
        shown = as_str(identity.get("statusDisplay"))
        said = "Matched to the NHS record" if matched else "NOT matched: check who this is"
        yield "Identity", f"{said} ({shown})" if shown else said


def _sender(requester: Element) -> str:
    if not requester:
        return "The patient"
    name = person_name(as_dict((as_list(requester.get("name")) or [{}])[0]))
    relationship = as_dict((as_list(requester.get("relationship")) or [{}])[0])
    relation = worded(relationship) if relationship else ""
    return f"{name} ({relation}), for the patient" if relation else f"{name}, for the patient"


def _lines(items: Any, depth: int) -> Iterator[Line]:
    if depth > MAX_DEPTH:
        return
    for item in map(as_dict, as_list(items)):
        text = as_str(item.get("text")) or as_str(item.get("linkId"))
        answers = [as_dict(answer) for answer in as_list(item.get("answer"))]
        yield Line("question" if answers else "heading", text, depth)
        for answer in answers:
            value_type, value = value_of(answer)
            shown = readable_date(value) if value_type == "Date" else worded(value)
            if value_type:
                yield Line("answer", shown, depth)
            yield from _lines(answer.get("item"), depth + 1)
        yield from _lines(item.get("item"), depth + 1)


def readable_date(text: str) -> str:
    """`1970-03-04` as `4 March 1970`; anything else as it is."""
    try:
        return _day(date.fromisoformat(text))
    except (TypeError, ValueError):
        return str(text)


def _day(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
