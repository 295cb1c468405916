"""Answers as people read them back, on the check page and nowhere changed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from fhir_gateway.fhir.types import Element, as_dict, as_str
from fhir_gateway.questionnaire.response import Node, value_of
from fhir_gateway.questionnaire.values import DATE, is_date

_MONTHS = (
    "January February March April May June July August September October November December"
).split()


def answers(node: Node) -> list[str]:
    """Each answer of a question as text; plain, to be escaped by the template."""
    return [text for text in map(_answer, node.answers) if text]


def _answer(answer: Element) -> str:
    value_type, value = value_of(answer)
    if value_type == "Boolean":
        return "Yes" if value is True else "No"
    if value_type == "Coding":
        return as_str(as_dict(value).get("display")) or as_str(as_dict(value).get("code"))
    if value_type == "Date" and is_date(value):
        return long_date(value)
    if value_type == "Quantity":
        return f"{_number(as_dict(value).get('value'))} {as_str(as_dict(value).get('unit'))}"
    if value_type in ("Integer", "Decimal"):
        return _number(value)
    return as_str(value)


def long_date(iso: str) -> str:
    """`1984-03-15` as `15 March 1984` (NHS style: no ordinals, no leading zero)."""
    match = DATE.fullmatch(iso)
    if match is None:
        return iso
    year, month, day = match.groups()
    parts = [str(int(day))] if day else []
    if month:
        parts.append(_MONTHS[int(month) - 1])
    return " ".join([*parts, year])


def day_name(moment: date) -> str:
    """`Tuesday 24 November 2026`."""
    return f"{moment:%A} {long_date(moment.isoformat())}"


def _number(value: Any) -> str:
    return str(value) if isinstance(value, int | Decimal) else ""
