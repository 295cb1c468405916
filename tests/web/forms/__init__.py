"""Questionnaires that tests of pages fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fhir_gateway.fhir import json as fhir_json

#: Every kind of question and control that a patient's form can carry.
COMPONENTS = Path(__file__).parent / "components.json"
CORE = "http://hl7.org/fhir/StructureDefinition"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition"

Item = dict[str, Any]


def components() -> dict[str, Any]:
    """The Questionnaire with every kind of question."""
    questionnaire: dict[str, Any] = fhir_json.parse(COMPONENTS.read_bytes())
    return questionnaire


def form(*items: Item, version: str = "1", url: str = "https://example.org/q/form") -> Item:
    """A Questionnaire of these items."""
    return {
        "resourceType": "Questionnaire",
        "url": url,
        "version": version,
        "title": "A form",
        "status": "active",
        "item": list(items),
    }


def item(link_id: str, kind: str, text: str = "", **more: Any) -> Item:
    """One item."""
    return {"linkId": link_id, "type": kind, "text": text or f"Question {link_id}", **more}


def control(code: str) -> Item:
    """An itemControl extension."""
    system = "http://hl7.org/fhir/questionnaire-item-control"
    return {
        "url": f"{CORE}/questionnaire-itemControl",
        "valueCodeableConcept": {"coding": [{"system": system, "code": code}]},
    }


def when(question: str, **expected: Any) -> Item:
    """An enableWhen for equality, such as `when("q", answerBoolean=True)`."""
    return {"question": question, "operator": "=", **expected}


def options(*codes: str) -> list[Item]:
    """Codings to choose from."""
    return [
        {"valueCoding": {"system": "https://example.org/cs", "code": c, "display": c.capitalize()}}
        for c in codes
    ]
