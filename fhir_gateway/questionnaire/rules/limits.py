"""Limits of numbers, dates, times and quantities, also those that an expression gives.

https://hl7.org/fhir/R4/extension-minvalue.html; SDC minQuantity and maxQuantity; and
cqf-calculatedValue or cqf-expression on the value of the limit
(https://hl7.org/fhir/uv/sdc/expressions.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_gateway.fhir import path
from fhir_gateway.fhir.terminology import NotExpandable
from fhir_gateway.fhir.types import Element, as_dict, as_list, as_str
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.issues import Code, Issue
from fhir_gateway.questionnaire.item import Item
from fhir_gateway.questionnaire.logic import expression_of
from fhir_gateway.questionnaire.options import value_in, value_of
from fhir_gateway.questionnaire.response import Node
from fhir_gateway.questionnaire.rules.context import Checking
from fhir_gateway.questionnaire.values import number, order

_NUMBERS = ("Integer", "Decimal")
_HL7_KINDS = {
    "Integer": "INTEGER",
    "Decimal": "DECIMAL",
    "Date": "DATE",
    "DateTime": "DATE",
    "Time": "TIME",
    "Quantity": "QUANTITY",
}
_BOUNDS = (
    (Code.MIN_VALUE, "MIN", -1, (ext.MIN_VALUE, ext.MIN_QUANTITY)),
    (Code.MAX_VALUE, "MAX", 1, (ext.MAX_VALUE, ext.MAX_QUANTITY)),
)


def check(
    node: Node, place: str, value_type: str, value: Any, checking: Checking
) -> Iterator[Issue]:
    """Issues of one value against the limits of its item."""
    item = node.item
    if not item.raw.get("extension"):
        return
    if value_type in _HL7_KINDS:
        for code, end, wrong, urls in _BOUNDS:
            yield from _bound(node, place, value_type, value, checking, (code, end, wrong, urls))
    places = item.extension(ext.MAX_DECIMAL_PLACES)
    given = as_dict(value).get("value") if value_type == "Quantity" else value
    exact = number(given)
    if isinstance(places, int) and exact is not None:
        exponent = exact.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > places:
            yield _issue(
                Code.MAX_DECIMAL_PLACES, node, place, f"at most {places} decimals", limit=places
            )
    if value_type == "Quantity":
        yield from _unit(node, place, as_dict(value), checking)


def limit_of(item: Item, url: str, node: Node, checking: Checking) -> tuple[str, Any]:
    """The (type, value) of a limit, evaluated where it is an expression; ('', None) for none."""
    for extension in item.extensions(url):
        expressed = _expressed(extension)
        if expressed:
            try:
                results = path.plain_all(checking.scope.evaluate(expressed, at=node))
            except path.PathRefused:
                results = []
            if results:
                return _typed(extension, results[0])
        return value_of(extension)
    return "", None


def _expressed(extension: Element) -> str:
    """The FHIRPath of cqf-calculatedValue or cqf-expression on the value of an extension."""
    for key, sibling in extension.items():
        if not key.startswith(("_value", "value")):
            continue
        for inner in map(as_dict, as_list(as_dict(sibling).get("extension"))):
            if inner.get("url") in (ext.CQF_CALCULATED_VALUE, ext.CQF_EXPRESSION):
                expression = expression_of(value_in(inner))
                return expression.text if expression.is_path else ""
    return ""


def _typed(extension: Element, value: Any) -> tuple[str, Any]:
    key = next((k for k in extension if k.startswith(("_value", "value"))), "")
    return key.lstrip("_").removeprefix("value"), value


def _bound(
    node: Node,
    place: str,
    value_type: str,
    value: Any,
    checking: Checking,
    bound: tuple[Code, str, int, tuple[str, str]],
) -> Iterator[Issue]:
    code, end, wrong, urls = bound
    for url in urls:
        if not node.item.extensions(url):
            continue
        limit_type, limit = limit_of(node.item, url, node, checking)
        if limit is None:
            continue
        compared = _compare(value_type, value, limit_type, limit)
        if compared == wrong:
            yield Issue(
                code,
                "error",
                f"beyond the limit {_shown(limit)}",
                place,
                node.item.link_id,
                node.address,
                {"limit": limit},
                hl7=f"QUESTIONNAIRE_QR_ITEM_{_HL7_KINDS[value_type]}_{end}",
            )
        elif compared is None and value_type == "Quantity":
            yield Issue(
                Code.NOT_COMPARABLE,
                "warning",
                f"cannot be compared with the limit {_shown(limit)}: other units",
                place,
                node.item.link_id,
                node.address,
                {"limit": limit},
                hl7=f"QUESTIONNAIRE_QR_ITEM_DECIMAL_CANNOT_COMPARE_{end}",
            )


def _compare(value_type: str, value: Any, limit_type: str, limit: Any) -> int | None:
    if value_type == "Quantity" and limit_type in _NUMBERS:
        # A bare number limits the number of a quantity, in whatever unit the item has.
        return order("Decimal", as_dict(value).get("value"), limit)
    moments = ("Date", "DateTime")
    same_kind = value_type == limit_type or {value_type, limit_type} <= set(_NUMBERS)
    if not same_kind and not (value_type in moments and limit_type in moments):
        return 0
    return order(value_type, value, limit)


def _shown(limit: Any) -> str:
    quantity = as_dict(limit)
    if quantity:
        return (
            f"{quantity.get('value')} {quantity.get('unit') or quantity.get('code') or ''}".strip()
        )
    return str(limit)


def _unit(node: Node, place: str, quantity: Element, checking: Checking) -> Iterator[Issue]:
    """Is the unit one of unitOption and unitValueSet."""
    item = node.item
    if not item.unit_options and not item.unit_value_set:
        return
    hl7 = "QUESTIONNAIRE_QR_ITEM_DECIMAL_UNIT_FAIL_VS" if item.unit_value_set else ""
    if item.unit_value_set and not quantity.get("code") and item.unit_open in ("", "optionsOnly"):
        yield _unit_issue(node, place, "the unit has no code", hl7)
        return
    try:
        units = checking.definition.units(item)
    except NotExpandable as error:
        yield Issue(Code.UNIT_UNKNOWN, "warning", str(error), place, item.link_id, node.address)
        return
    if item.unit_open in ("optionsOrType", "optionsOrString"):
        return
    if not any(_is_unit(quantity, unit) for unit in units):
        yield _unit_issue(node, place, "the unit is not one of those to choose from", hl7)


def _is_unit(quantity: Element, unit: Element) -> bool:
    if quantity.get("code"):
        same_system = not unit.get("system") or quantity.get("system") == unit.get("system")
        return same_system and quantity["code"] == unit.get("code")
    return bool(quantity.get("unit")) and as_str(quantity["unit"]) in (
        unit.get("display"),
        unit.get("code"),
    )


def _unit_issue(node: Node, place: str, text: str, hl7: str) -> Issue:
    return Issue(Code.UNIT, "error", text, place, node.item.link_id, node.address, hl7=hl7)


def _issue(code: Code, node: Node, place: str, text: str, **args: Any) -> Issue:
    return Issue(code, "error", text, place, node.item.link_id, node.address, args)
