"""Small Questionnaires with templates, and responses to them, for tests of extraction."""

from __future__ import annotations

from typing import Any

from fhir_gateway.mapping.extensions import (
    ALLOCATE_ID,
    EXTRACT,
    EXTRACT_BUNDLE,
    EXTRACT_CONTEXT,
    EXTRACT_VALUE,
)

Json = dict[str, Any]


def value(expression: str) -> Json:
    return {"extension": [{"url": EXTRACT_VALUE, "valueString": expression}]}


def context(expression: str, name: str = "", **more: Any) -> Json:
    given: Json = {"url": EXTRACT_CONTEXT, "valueString": expression}
    if name:
        named = {"name": name, "language": "text/fhirpath", "expression": expression}
        given = {"url": EXTRACT_CONTEXT, "valueExpression": named}
    return {"extension": [given], **more}


def uses(template: str, **parts: str) -> Json:
    listed: list[Json] = [
        {"url": "template", "valueReference": {"reference": f"#{template}"}},
        *({"url": name, "valueString": expression} for name, expression in parts.items()),
    ]
    return {"url": EXTRACT, "extension": listed}


def allocates(name: str) -> Json:
    return {"url": ALLOCATE_ID, "valueString": name}


def whole_bundle(template: str) -> Json:
    return {"url": EXTRACT_BUNDLE, "valueReference": {"reference": f"#{template}"}}


def item(link_id: str, kind: str = "string", *extensions: Json, **more: Any) -> Json:
    found: Json = {"linkId": link_id, "type": kind, **more}
    return {"extension": list(extensions), **found} if extensions else found


def form(*items: Json, templates: tuple[Json, ...] = (), extensions: tuple[Json, ...] = ()) -> Json:
    found: Json = {"resourceType": "Questionnaire", "status": "active", "item": list(items)}
    if templates:
        found["contained"] = list(templates)
    return {**found, "extension": list(extensions)} if extensions else found


def answer(link_id: str, *values: Any, key: str = "valueString") -> Json:
    return {"linkId": link_id, "answer": [{key: each} for each in values]}


def group(link_id: str, *items: Json) -> Json:
    return {"linkId": link_id, "item": list(items)}


def response(*items: Json, **more: Any) -> Json:
    base = {"resourceType": "QuestionnaireResponse", "id": "r1", "status": "completed"}
    return {**base, "item": list(items), **more}
