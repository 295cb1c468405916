"""Answers as people read them back, on the check page and nowhere changed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from fhir_gateway.fhir.types import Element, as_dict, as_str
from fhir_gateway.questionnaire.response import Node, value_of
from fhir_gateway.questionnaire.values import DATE, is_date, is_date_time
from fhir_gateway.web.words import ENGLISH, Words

_MONTHS = (
    "January February March April May June July August September October November December"
).split()


def answers(node: Node, words: Words = ENGLISH) -> list[str]:
    """Each answer of a question as text; plain, to be escaped by the template."""
    return [text for answer in node.answers if (text := _answer(answer, words))]


def _answer(answer: Element, words: Words) -> str:
    value_type, value = value_of(answer)
    element = as_dict(value)
    match value_type:
        case "Boolean":
            return words.say("Yes" if value is True else "No")
        case "Coding":
            return as_str(element.get("display")) or as_str(element.get("code"))
        case "Date" | "DateTime" | "Time":
            return moment(as_str(value), words)
        case "Quantity":
            unit = as_str(element.get("unit")) or as_str(element.get("code"))
            return f"{_number(element.get('value'))} {unit}".strip()
        case "Reference":
            return as_str(element.get("display")) or as_str(element.get("reference"))
        case "Attachment":
            return as_str(element.get("title")) or as_str(element.get("contentType"))
        case "Integer" | "Decimal":
            return _number(value)
        case _:
            return as_str(value)


def moment(iso: str, words: Words = ENGLISH) -> str:
    """A FHIR date, dateTime or time as people write it: `15 March 1984`, `9:05am`."""
    if is_date(iso):
        return long_date(iso, words)
    day, _, clock = iso.partition("T") if is_date_time(iso) else ("", "", iso)
    shown = [long_date(day, words)] if day else []
    hour, _, rest = clock.partition(":")
    if hour.isdigit():
        number = int(hour)
        half = "pm" if number >= 12 else "am"  # noqa: PLR2004
        shown.append(f"{number % 12 or 12}:{rest[:2]}{half}")
    return ", ".join(shown) or iso


def long_date(iso: str, words: Words = ENGLISH) -> str:
    """`1984-03-15` as `15 March 1984` (NHS style: no ordinals, no leading zero)."""
    match = DATE.fullmatch(iso)
    if match is None:
        return iso
    year, month, day = match.groups()
    parts = [str(int(day))] if day else []
    if month:
        parts.append(words.say(_MONTHS[int(month) - 1]))
    return " ".join([*parts, year])


def day_name(moment: date) -> str:
    """`Tuesday 24 November 2026`."""
    return f"{moment:%A} {long_date(moment.isoformat())}"


def _number(value: Any) -> str:
    return str(value) if isinstance(value, int | Decimal) else ""
