"""One request as staff read it: who, how to reach them, who sent it, and what was answered.

Everything is found from the Task by following references, so that it does not depend on how the
sender arranged its transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from fhir_gateway.fhir.types import (
    Element,
    Resource,
    as_dict,
    as_list,
    as_str,
    extension_value,
    extensions,
)
from fhir_gateway.questionnaire.response import value_of
from fhir_gateway.sandbox.epr import wording
from fhir_gateway.sandbox.epr.inbox import Line, Progress, read_line, referred
from fhir_gateway.sandbox.epr.narrative import safe_narrative
from fhir_gateway.sandbox.epr.references import Key, local_key
from fhir_gateway.sandbox.epr.session import Session, Version
from fhir_gateway.web.display import long_date

CONTACT_PREFERENCE = (
    "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-ContactPreference"
)
_MAX_FAMILY = 100

#: A label and its value, both plain text.
Fact = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """An item of the response: a question with answers, a group, or both by nesting."""

    text: str
    answers: list[str]
    nested: list[Question] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the response: a group at its top, or what stands there without one (no title)."""

    title: str
    questions: list[Question]


@dataclass(frozen=True, slots=True)
class Case:
    """A request. `notes` is what the Task says besides, `resources` all that belongs to it."""

    line: Line
    patient: list[Fact]
    contact: list[Fact]
    sender: list[Fact]
    notes: list[Fact]
    sections: list[Section]
    narrative: Markup
    resources: list[Key]

    @property
    def may_start(self) -> bool:
        """Whether staff can mark it as in progress."""
        return self.line.progress is Progress.NEW

    @property
    def may_finish(self) -> bool:
        """Whether staff can mark it as done."""
        return self.line.progress in (Progress.NEW, Progress.IN_PROGRESS)


def read_case(session: Session, key: Key) -> Case | None:
    """The request of a Task, or None when there is no such Task."""
    version = session.latest(key)
    if version is None or version.resource is None:
        return None
    family = list(_family(session, version))
    task = version.resource
    patient = referred(session, task.get("for")) or {}
    response = _first(family, "QuestionnaireResponse")
    focus = referred(session, task.get("focus")) or {}
    return Case(
        line=read_line(session, version),
        patient=list(_patient_facts(patient, task)),
        contact=list(_contact_facts(patient)),
        sender=list(_sender_facts(session, task, response)),
        notes=list(_notes(task)),
        sections=_sections(_questions(as_list(response.get("item")))),
        narrative=safe_narrative(focus),
        resources=[member.key for member in family],
    )


def _family(session: Session, task: Version) -> Iterator[Version]:
    """The Task, all it leads to, and what was written about these (Provenance and the like).

    Not what else refers to the patient: those are other requests.
    """
    waiting = [task.key]
    seen = {task.key}
    while waiting and len(seen) < _MAX_FAMILY:
        key = waiting.pop(0)
        version = session.latest(key)
        if version is None or version.resource is None:
            continue
        yield version
        about = [] if key.type in _SHARED else session.links_to(key)
        found = session.links_from(key) + [other for other in about if other.type != "Task"]
        fresh = [other for other in dict.fromkeys(found) if other not in seen]
        seen.update(fresh)
        waiting.extend(fresh)


#: What many requests have in common, so that what refers to it says nothing about this one.
_SHARED = (
    "Patient RelatedPerson Organization HealthcareService Practitioner PractitionerRole Device"
).split()


def _first(family: Iterable[Version], resource_type: str) -> Resource:
    found = (member.resource for member in family if member.key.type == resource_type)
    return next(found, None) or {}


def _patient_facts(patient: Resource, task: Resource) -> Iterator[Fact]:
    """Who the patient is; what this request's own check found goes before what is registered."""
    yield "Name", wording.person_name(patient)
    born = as_str(patient.get("birthDate"))
    yield "Date of birth", long_date(born) if born else "Not given"
    yield "NHS number", wording.nhs_number(patient)
    checks = [wording.verification_status(value) for _, _, value in _inputs(task)]
    for check in filter(None, [*checks, wording.verification(patient)]):
        yield "NHS number check", check
        break
    gender = as_str(patient.get("gender"))
    if gender:
        yield "Sex or gender", gender.capitalize()
    for address in wording.addresses(patient):
        yield "Address", address


def _contact_facts(person: Resource) -> Iterator[Fact]:
    """Phone numbers and the like, and what the person prefers (UK Core ContactPreference)."""
    preference = extensions(person, CONTACT_PREFERENCE)
    for wish in preference:
        method = wording.concept_text(extension_value(wish, "PreferredContactMethod"))
        if method:
            yield "Preferred contact", method
        times = extension_value(wish, "PreferredContactTimes")
        if isinstance(times, str):
            yield "Contact times", times
    yield from wording.contacts(person)


def _sender_facts(session: Session, task: Resource, response: Resource) -> Iterator[Fact]:
    """The patient, or the related person; as the response says, else as the Task says."""
    for reference in (response.get("source"), response.get("author"), task.get("requester")):
        key = local_key(as_str(as_dict(reference).get("reference")))
        if key and key.type == "Patient":
            yield "Sent by", "The patient"
            return
        sender = referred(session, reference)
        if sender and key and key.type == "RelatedPerson":
            yield "Sent by", wording.person_name(sender)
            relationships = map(wording.concept_text, as_list(sender.get("relationship")))
            yield "Relationship", ", ".join(filter(None, relationships)) or "Not given"
            yield from _contact_facts(sender)
            return
    yield "Sent by", "Not recorded"


def _inputs(task: Resource) -> Iterator[tuple[str, Element, Any]]:
    """Task.input: what each is called, the element itself, and its value."""
    for element in map(as_dict, as_list(task.get("input"))):
        yield wording.concept_text(element.get("type")), element, value_of(element)[1]


def _notes(task: Resource) -> Iterator[Fact]:
    """What the Task tells the team in so many words; several under one name become lines."""
    found: dict[str, list[str]] = {}
    for name, element, value in _inputs(task):
        # A reference says something to people where it has a display, such as a close candidate.
        reference = element.get("valueReference")
        shown = as_str(as_dict(reference).get("display"))
        text = shown if reference else wording.answer_text(element)
        if text and not wording.verification_status(value):
            found.setdefault(name, []).append(text)
    for name, texts in found.items():
        yield name or "Note", "\n".join(texts)


def _sections(questions: Iterable[Question]) -> list[Section]:
    found: list[Section] = []
    for question in questions:
        if not question.answers:
            found.append(Section(question.text, question.nested))
        elif found and not found[-1].title:
            found[-1].questions.append(question)
        else:
            found.append(Section("", [question]))
    return found


def _questions(items: Iterable[Element]) -> Iterator[Question]:
    """Items in their order; those without any answer within are left out."""
    for item in map(as_dict, items):
        given = [as_dict(answer) for answer in as_list(item.get("answer"))]
        inner = [*as_list(item.get("item"))]
        for answer in given:
            inner += as_list(answer.get("item"))
        answers = list(filter(None, map(wording.answer_text, given)))
        nested = list(_questions(inner))
        if answers or nested:
            text = as_str(item.get("text")) or as_str(item.get("linkId"))
            yield Question(text, answers, nested)
