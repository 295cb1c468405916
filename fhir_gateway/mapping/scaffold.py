"""The files of a new mapping, to edit from there: it lints clean and maps every example. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from fhir_gateway.errors import Refused
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.elements import ElementInfo, choices, elements, is_resource
from fhir_gateway.fhir.identifiers import REQUEST_ID
from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.mapping.extensions import EXTRACT_VALUE
from fhir_gateway.questionnaire.definition import Definition, Item

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_EXAMPLE_REQUEST = "0b8a4a0e-6f0e-4d6e-9d0a-1f3b6f0a2c11"
_MOMENT = "2026-03-04T09:30:00+00:00"
#: What a first template says for elements that a resource must have.
_STARTERS: dict[str, Any] = {
    "status": "active",
    "intent": "proposal",
    "subject": {"display": "The patient"},
    "content": [{"attachment": {"contentType": "text/plain", "title": "The request"}}],
}
_ANSWERS: dict[str, Any] = {
    "boolean": {"valueBoolean": True},
    "decimal": {"valueDecimal": 1},
    "integer": {"valueInteger": 1},
    "date": {"valueDate": "2026-03-04"},
    "dateTime": {"valueDateTime": _MOMENT},
    "time": {"valueTime": "09:30:00"},
    "url": {"valueUri": "https://example.org"},
}


class ScaffoldRefused(Refused):
    """No mapping can be made of what was asked for; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="scaffold-refused")


def scaffold(name: str, resource_type: str, definitions: Iterable[Definition]) -> dict[str, bytes]:
    """The files of a mapping by relative path. Raises ScaffoldRefused."""
    known = list(definitions)
    if not _NAME.fullmatch(name):
        raise ScaffoldRefused("The name is made of small letters, digits and dashes: my-epr")
    if not is_resource(resource_type):
        raise ScaffoldRefused(f"'{resource_type}' is no FHIR resource type, such as ServiceRequest")
    if not known:
        raise ScaffoldRefused("A mapping applies to at least one questionnaire")
    files = {
        "manifest.toml": _manifest(name, resource_type, known).encode(),
        f"{resource_type}.json": _json(_template(resource_type)),
    }
    for definition in known:
        case = str(definition.raw.get("id") or definition.raw.get("name") or "example")
        files[f"examples/{case}.response.json"] = _json(_response(definition))
        files[f"examples/{case}.context.json"] = _json(_context())
    return files


def _manifest(name: str, resource_type: str, known: list[Definition]) -> str:
    canonicals = "".join(f'  "{definition.canonical}",\n' for definition in known)
    return f"""# What this mapping is for, and for which EPR.
name = "{name}"
version = "0.1.0"
title = "{name}"
sdc-version = "4.0.0"
applies-to = [
{canonicals}]
# Each name is a variable that holds a urn:uuid, the same each time a request is mapped.
allocate-id = ["focusId"]

# One [[template]] for each resource. `anchor = "linkId"` makes one for each answered instance of
# that item; without it there is one for each request.
[[template]]
file = "{resource_type}.json"
fullUrl = "%focusId"
ifNoneExist = "'identifier={REQUEST_ID}|' & %request.id"
"""


def _template(resource_type: str) -> Resource:
    known = elements(resource_type)
    template: Resource = {"resourceType": resource_type}
    if "identifier" in known:
        own = {"system": REQUEST_ID, "_value": _value("%request.id")}
        template["identifier"] = [own] if known["identifier"].is_list else own
    for info in known.values():
        if info.required and not _has_choice(template, info, resource_type):
            template[info.name] = _starter(info)
    return template


def _has_choice(template: Resource, info: ElementInfo, type_name: str) -> bool:
    if not info.choice:
        return info.name in template
    return any(each.name in template for each in choices(type_name, info.choice).values())


def _starter(info: ElementInfo) -> Any:
    fits = _STARTERS.get(info.name)
    if isinstance(fits, str) and info.codes and fits not in info.codes:
        fits = info.codes[0]
    if fits is None:
        fits = _of_type(info)
    return [fits] if info.is_list and not isinstance(fits, list) else fits


def _of_type(info: ElementInfo) -> Any:
    if info.type == "code":
        return info.codes[0] if info.codes else "unknown"
    if info.type == "boolean":
        return True
    if info.type in ("dateTime", "instant"):
        return _MOMENT
    if info.type[:1].isupper():
        needed = {i.name: _starter(i) for i in elements(info.type).values() if i.required}
        return needed or (
            {"text": "To be said"} if info.type == "CodeableConcept" else {"display": "To be said"}
        )
    return "To be said"


def _value(expression: str) -> Element:
    return {"extension": [{"url": EXTRACT_VALUE, "valueString": expression}]}


def _response(definition: Definition) -> Resource:
    """A response with an answer to every question, of the type it wants."""
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": definition.canonical,
        "status": "completed",
        "authored": _MOMENT,
        "item": list(_items(definition, definition.items)),
    }


def _items(definition: Definition, items: list[Item]) -> Iterator[Element]:
    for item in items:
        if item.type == "display":
            continue
        element: Element = {"linkId": item.link_id, "text": item.text}
        below = list(_items(definition, item.children))
        if item.is_question:
            element["answer"] = [_answer(definition, item)]
        elif below:
            element["item"] = below
        if "answer" in element or "item" in element:
            yield element


def _answer(definition: Definition, item: Item) -> Element:
    for option in item.raw.get("answerOption") or ():
        return {key: value for key, value in option.items() if key.startswith("value")}
    if item.raw.get("answerValueSet"):
        options = definition.value_set(item)
        return {"valueCoding": options[0]} if options else {"valueString": "?"}
    return dict(_ANSWERS.get(item.type, {"valueString": "An answer"}))


def _context() -> Element:
    return {
        "request": {
            "id": _EXAMPLE_REQUEST,
            "reference": "ABC-123",
            "accepted": _MOMENT,
            "kind": "example",
            "kindDisplay": "Example request",
        },
        "identity": {"matched": False, "status": "02", "evidence": []},
        "submittedPatient": {"resourceType": "Patient"},
        "gateway": {"name": "example"},
    }


def _json(value: Any) -> bytes:
    return fhir_json.dump(value, pretty=True) + b"\n"
