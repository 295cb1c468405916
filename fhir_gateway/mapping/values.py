"""An answer's value as the type that an element wants.

SDC leaves the obvious to implementations: a Coding becomes a code or a CodeableConcept, a number
with a unit a Quantity (https://hl7.org/fhir/uv/sdc/extraction.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fhir_gateway.fhir import path
from fhir_gateway.fhir.elements import ElementInfo
from fhir_gateway.fhir.types import Element, as_dict, as_str, extension_value
from fhir_gateway.mapping.extensions import UNIT

_MOMENT = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?")
_CODED = ("code", "id", "uri", "string", "markdown")
#: For the type of a value: which types of a choice element take it, the best first.
_TAKEN_BY = {
    "Coding": ("Coding", "CodeableConcept", "Code", "String"),
    "Decimal": ("Decimal", "Quantity"),
    "Integer": ("Integer", "PositiveInt", "UnsignedInt", "Decimal", "Quantity"),
    "Date": ("Date", "DateTime", "String"),
    "DateTime": ("DateTime", "Instant", "Date", "String"),
    "Time": ("Time", "String"),
    "String": ("String", "Markdown", "CodeableConcept", "Uri", "Code"),
    "Uri": ("Uri", "Url", "String"),
    "Quantity": ("Quantity", "Age", "Duration"),
    "Reference": ("Reference",),
    "Boolean": ("Boolean",),
    "Attachment": ("Attachment",),
}


def choose(
    options: Mapping[str, ElementInfo], value_type: str, *, measured: bool
) -> ElementInfo | None:
    """Which element of a choice takes a value of this type. `measured`: the item has a unit."""
    wanted = _TAKEN_BY.get(value_type, (value_type,))
    if measured and value_type in ("Decimal", "Integer"):
        wanted = ("Quantity", *wanted)
    return next((options[name] for name in wanted if name in options), None)


def type_of(node: Any) -> str:
    """The type of an expression's result as in `value[x]`: `String`, `DateTime`, `Coding`, …"""
    value = path.plain(node)
    named = getattr(node, "path", None)
    if isinstance(named, str) and named and "." not in named:
        return named[0].upper() + named[1:]
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, int | Decimal):
        return "Integer" if isinstance(value, int) else "Decimal"
    if isinstance(value, str):
        if not _MOMENT.fullmatch(value) or len(value) < len("2026-01-01"):
            return "String"
        return "DateTime" if "T" in value else "Date"
    keys = as_dict(value).keys()
    return "Coding" if "code" in keys else "Reference" if "reference" in keys else ""


def converted(value: Any, wanted: str, item: Element) -> Any:
    """The value as a `wanted` FHIR type; None when it cannot be one."""
    if isinstance(value, dict):
        return _structure(value, wanted)
    if wanted == "Quantity" and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return {"value": value, **_unit(item)}
    if wanted == "CodeableConcept":
        return {"text": value} if isinstance(value, str) else None
    if wanted == "Coding":
        return {"display": value} if isinstance(value, str) else None
    if wanted == "Reference":
        return {"reference": value} if isinstance(value, str) else None
    if wanted == "Annotation":
        return {"text": value} if isinstance(value, str) else None
    if wanted[:1].isupper():
        return None
    return _primitive(value, wanted)


def _structure(value: Element, wanted: str) -> Any:
    is_coding = "coding" not in value and ("code" in value or "display" in value)
    if wanted == "CodeableConcept" and is_coding and "value" not in value:
        return {"coding": [value]}
    if wanted in _CODED and is_coding:
        shown = ("code", "display") if wanted in ("code", "id", "uri") else ("display", "code")
        return next((as_str(value.get(key)) for key in shown if value.get(key)), None)
    return value if wanted[:1].isupper() else None


def _primitive(value: Any, wanted: str) -> Any:
    if wanted in ("string", "markdown") and not isinstance(value, str | bool):
        return str(value)
    if wanted == "boolean":
        return value if isinstance(value, bool) else None
    if wanted in ("integer", "positiveInt", "unsignedInt", "decimal"):
        number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        return value if number else None
    return value if isinstance(value, str) else None


def _unit(item: Element) -> Element:
    unit = as_dict(extension_value(item, UNIT))
    named = {"unit": unit.get("display") or unit.get("code"), **{k: unit.get(k) for k in _UNIT}}
    return {key: text for key, text in named.items() if text}


_UNIT = ("system", "code")
