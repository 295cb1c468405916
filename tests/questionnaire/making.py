"""Questionnaires and responses in as few words as tests need."""

from __future__ import annotations

from typing import Any

from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.questionnaire import validate_response
from fhir_gateway.questionnaire.issues import HL7_SYSTEM, SYSTEM

URL = "https://example.org/Questionnaire/test"
CORE = "http://hl7.org/fhir/StructureDefinition"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition"


def form(*items: Element, **more: Any) -> Resource:
    """A Questionnaire of these items."""
    return {
        "resourceType": "Questionnaire",
        "url": URL,
        "version": "1",
        "title": "A form",
        "status": "active",
        "item": list(items),
        **more,
    }


def ask(link_id: str, kind: str = "string", *below: Element, **more: Any) -> Element:
    """An item; its text is its linkId."""
    item: Element = {"linkId": link_id, "type": kind, "text": link_id, **more}
    return {**item, "item": list(below)} if below else item


def reply(*items: Element, status: str = "completed", **more: Any) -> Resource:
    """A response of these items."""
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": URL,
        "status": status,
        **({"item": list(items)} if items else {}),
        **more,
    }


def say(link_id: str, *answers: Element) -> Element:
    """A response item with these answers, such as {"valueString": "x"}."""
    return {"linkId": link_id, "answer": list(answers)}


def hold(link_id: str, *items: Element) -> Element:
    """A group of a response."""
    return {"linkId": link_id, "item": list(items)} if items else {"linkId": link_id}


def text(value: str) -> Element:
    """An answer that is a text."""
    return {"valueString": value}


def code(value: str, system: str = "https://example.org/codes") -> Element:
    """An answer that is a Coding."""
    return {"valueCoding": {"system": system, "code": value}}


def options(*codes: str, **more: Any) -> list[Element]:
    """answerOptions with these codes."""
    return [{**code(value), **more} for value in codes]


def having(url: str, kind: str, value: Any) -> list[Element]:
    """One extension in a list: of FHIR's core unless the url is whole."""
    return [{"url": url if "://" in url else f"{CORE}/{url}", f"value{kind}": value}]


def path(url: str, expression: str, name: str = "") -> list[Element]:
    """One extension with a FHIRPath Expression, of SDC unless the url is whole."""
    value = {"language": "text/fhirpath", "expression": expression}
    if name:
        value["name"] = name
    return [{"url": url if "://" in url else f"{SDC}/{url}", "valueExpression": value}]


def when(question: str, operator: str, **expected: Any) -> list[Element]:
    """One enableWhen in a list."""
    return [{"question": question, "operator": operator, **expected}]


def found(questionnaire: Any, response: Any, **more: Any) -> list[str]:
    """What validation says, each as `severity code at expression`, without the all-clear."""
    issues = validate_response(questionnaire, response, **more)["issue"]
    return [
        f"{issue['severity']} {coding(issue)} at {issue.get('expression', [''])[0]}"
        for issue in issues
        if "details" in issue
    ]


def codes(questionnaire: Any, response: Any, **more: Any) -> list[str]:
    """The codes of the errors that validation finds."""
    said = found(questionnaire, response, **more)
    return [entry.split()[1] for entry in said if entry.startswith(("error", "fatal"))]


def coding(issue: Element, system: str = SYSTEM) -> str:
    """The code of an issue in one system; '' when it has none."""
    for entry in issue["details"]["coding"]:
        if entry["system"] == system:
            return str(entry["code"])
    return ""


def hl7_ids(questionnaire: Any, response: Any, **more: Any) -> list[str]:
    """The HL7 message ids of what validation finds."""
    issues = validate_response(questionnaire, response, **more)["issue"]
    return [coding(issue, HL7_SYSTEM) for issue in issues if "details" in issue]
