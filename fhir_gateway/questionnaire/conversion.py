"""From what an expression gives to answers of an item: the value[x] that the item's type takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fhir_gateway.fhir import path
from fhir_gateway.fhir.terminology import NotExpandable
from fhir_gateway.fhir.types import Element, as_dict, as_list, as_str
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.item import CHOICE_TYPES, Item
from fhir_gateway.questionnaire.values import is_date, is_date_time, is_time, number

_CODING = frozenset({"system", "version", "code", "display", "userSelected"})


def answers_from(definition: Definition, item: Item, results: Sequence[Any]) -> list[Element]:
    """The answers that results of FHIRPath make: one, or several where the item repeats.

    A result that does not fit the item's type is left out.
    """
    answers = [_answer(definition, item, path.plain(result)) for result in results]
    fitting = [answer for answer in answers if answer]
    return fitting if item.repeats else fitting[:1]


def _answer(definition: Definition, item: Item, value: Any) -> Element | None:
    if item.type in CHOICE_TYPES:
        return _choice(definition, item, value)
    if item.type == "quantity":
        return _quantity(item, value)
    convert = _CONVERSIONS.get(item.type)
    if convert is None:
        return None
    name, conversion = convert
    converted = conversion(value)
    return None if converted is None else {name: converted}


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _integer(value: Any) -> int | None:
    exact = number(value)
    return int(exact) if exact is not None and exact == exact.to_integral_value() else None


def _decimal(value: Any) -> Decimal | int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return number(value)


def _date(value: Any) -> str | None:
    text = as_str(value)
    if is_date(text):
        return text
    return text[:10] if is_date_time(text) else None


def _date_time(value: Any) -> str | None:
    return value if is_date_time(value) else None


def _time(value: Any) -> str | None:
    text = as_str(value).removeprefix("T")
    return text if is_time(text) else None


def _string(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return _words(value) or None
    if isinstance(value, str):
        return value if value.strip() else None
    exact = number(value)
    return None if exact is None else format(exact, "f")


def _words(value: dict[str, Any]) -> str:
    """The words of a CodeableConcept, Coding or Reference."""
    codings = [as_dict(coding) for coding in as_list(value.get("coding"))]
    candidates = [value.get("text"), value.get("display")]
    candidates.extend(coding.get("display") for coding in codings)
    return next((as_str(words) for words in candidates if words), "")


def _uri(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _reference(value: Any) -> Element | None:
    found = as_dict(value)
    if as_str(found.get("resourceType")) and as_str(found.get("id")):
        return {"reference": f"{found['resourceType']}/{found['id']}"}
    if found.get("reference") or found.get("identifier"):
        return found
    return {"reference": value} if isinstance(value, str) and "/" in value else None


def _attachment(value: Any) -> Element | None:
    found = as_dict(value)
    return found if "contentType" in found or "url" in found or "data" in found else None


_CONVERSIONS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "boolean": ("valueBoolean", _boolean),
    "integer": ("valueInteger", _integer),
    "decimal": ("valueDecimal", _decimal),
    "date": ("valueDate", _date),
    "dateTime": ("valueDateTime", _date_time),
    "time": ("valueTime", _time),
    "string": ("valueString", _string),
    "text": ("valueString", _string),
    "url": ("valueUri", _uri),
    "reference": ("valueReference", _reference),
    "attachment": ("valueAttachment", _attachment),
}


def _quantity(item: Item, value: Any) -> Element | None:
    found = as_dict(value)
    if "value" in found:
        return {"valueQuantity": found}
    exact = _decimal(value)
    if exact is None:
        return None
    quantity: Element = {"value": exact}
    if item.unit:
        names = {"unit": "display", "system": "system", "code": "code"}
        quantity |= {to: item.unit[of] for to, of in names.items() if of in item.unit}
    return {"valueQuantity": quantity}


def _choice(definition: Definition, item: Item, value: Any) -> Element | None:
    """A Coding as it is, the coding of a CodeableConcept that is an option, or the option that a
    code, a word or a number names."""
    found = as_dict(value)
    codings = [as_dict(c) for c in as_list(found.get("coding"))] or ([found] if found else [])
    try:
        options = definition.options(item)
    except NotExpandable:
        options = ()
    for coding in codings:
        for option in options:
            if option.type == "Coding" and _same_code(coding, as_dict(option.value)):
                return option.answer
    for coding in codings:
        if "code" in coding or "display" in coding:
            return {"valueCoding": {k: v for k, v in coding.items() if k in _CODING}}
    for option in options:
        known = as_dict(option.value)
        if value in (option.value, known.get("code"), known.get("display")):
            return option.answer
    if item.type == "open-choice" and isinstance(value, str) and value.strip():
        return {"valueString": value}
    return None


def _same_code(coding: Element, option: Element) -> bool:
    same_system = "system" not in coding or coding["system"] == option.get("system")
    return same_system and coding.get("code") == option.get("code")
