"""Comparing answers with values: one meaning for enableWhen, options, limits and constraints."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from fhir_gateway.fhir import units
from fhir_gateway.fhir.types import Element, as_dict, as_str

#: Which value[x] an answer to an item of this R4 type has.
VALUE_TYPES: dict[str, tuple[str, ...]] = {
    "boolean": ("Boolean",),
    "decimal": ("Decimal",),
    "integer": ("Integer",),
    "date": ("Date",),
    "dateTime": ("DateTime",),
    "time": ("Time",),
    "string": ("String",),
    "text": ("String",),
    "url": ("Uri",),
    "choice": ("Coding", "String", "Integer", "Decimal", "Date", "Time", "Reference"),
    "open-choice": ("Coding", "String", "Integer", "Decimal", "Date", "Time", "Reference"),
    "attachment": ("Attachment",),
    "reference": ("Reference",),
    "quantity": ("Quantity",),
}
_ORDERED = frozenset({"Integer", "Decimal", "Date", "DateTime", "Time", "Quantity", "String"})

_MAX_BITS = 1_000
DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
TIME = re.compile(r"(\d\d):(\d\d):(\d\d)(\.\d+)?")
DATE_TIME = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?")


def same(value_type: str, value: Any, expected_type: str, expected: Any) -> bool:
    """Whether an answer equals an expected value.

    Codings: the code and, when the expected one has a system, the system; never the display.
    """
    if value_type == "Coding" and expected_type == "Coding":
        wanted, given = as_dict(expected), as_dict(value)
        if wanted.get("system") and wanted.get("system") != given.get("system"):
            return False
        return bool(wanted.get("code")) and wanted.get("code") == given.get("code")
    if value_type == "Reference" and expected_type == "Reference":
        return bool(as_dict(value).get("reference")) and (
            as_dict(value).get("reference") == as_dict(expected).get("reference")
        )
    if value_type == "Quantity" and expected_type == "Quantity":
        return order(value_type, value, expected) == 0
    if {value_type, expected_type} <= {"Integer", "Decimal"}:
        left, right = number(value), number(expected)
        return left is not None and left == right
    if value_type != expected_type:
        return False
    return bool(value == expected)


def order(value_type: str, value: Any, other: Any) -> int | None:
    """-1, 0 or 1 as `value` is before, equal to or after `other`; None when undetermined.

    Undetermined: types without an order, quantities of different units, and partial dates of
    which one contains the other.
    """
    if value_type not in _ORDERED:
        return None
    if value_type in ("Integer", "Decimal"):
        return _order_numbers(number(value), number(other))
    if value_type == "Quantity":
        return _order_quantities(as_dict(value), as_dict(other))
    if value_type in ("Date", "DateTime"):
        return _order_moments(as_str(value), as_str(other))
    left, right = as_str(value), as_str(other)
    return (left > right) - (left < right)


def number(value: Any) -> Decimal | None:
    """A JSON number as a Decimal; None for anything else, and for numbers beyond reason."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, int):
        return Decimal(value) if value.bit_length() <= _MAX_BITS else None
    try:
        found = Decimal(repr(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def is_date(text: Any) -> bool:
    """Whether `text` is an R4 date: yyyy, yyyy-mm or a day that exists."""
    match = DATE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return False
    year, month, day = (int(part) if part else 1 for part in match.groups())
    try:
        datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return False
    return True


def is_date_time(text: Any) -> bool:
    """Whether `text` is an R4 dateTime of an existing moment."""
    if not isinstance(text, str) or not DATE_TIME.fullmatch(text):
        return False
    return _moment(text) is not None


def is_time(text: Any) -> bool:
    """Whether `text` is an R4 time, hh:mm:ss."""
    match = TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return False
    return int(match[1]) < 24 and int(match[2]) < 60 and int(match[3]) < 61  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class _Span:
    """From when to when a possibly partial date or time can be; the end is inclusive."""

    start: datetime
    end: datetime


def _order_numbers(left: Decimal | None, right: Decimal | None) -> int | None:
    if left is None or right is None:
        return None
    return (left > right) - (left < right)


def _order_quantities(left: Element, right: Element) -> int | None:
    """Of the same unit, or of two UCUM units of one dimension."""
    first, second = number(left.get("value")), number(right.get("value"))
    if first is None or second is None:
        return None
    if _unit(left) == _unit(right):
        return _order_numbers(first, second)
    if left.get("system") == right.get("system") == units.UCUM:
        return units.order(first, as_str(left.get("code")), second, as_str(right.get("code")))
    return None


def _unit(quantity: Element) -> tuple[Any, Any]:
    if quantity.get("code"):
        return quantity.get("system"), quantity["code"]
    return None, quantity.get("unit")


def _order_moments(left: str, right: str) -> int | None:
    first, second = _moment(left), _moment(right)
    if first is None or second is None:
        return None
    if first == second:
        return 0
    if first.end < second.start:
        return -1
    if first.start > second.end:
        return 1
    return None


def _moment(text: str) -> _Span | None:
    """The span of a date or dateTime. A date without a zone is taken in UTC."""
    try:
        if "T" in text:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            return _Span(moment, moment)
        match = DATE.fullmatch(text)
        if match is None:
            return None
        year, month, day = match.groups()
        start = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
        end = _last_day(start, has_month=bool(month), has_day=bool(day))
    except ValueError:
        return None
    return _Span(start, end.replace(hour=23, minute=59, second=59, microsecond=999_999))


def _last_day(start: datetime, *, has_month: bool, has_day: bool) -> datetime:
    if has_day:
        return start
    month = start.month if has_month else 12
    for day in (31, 30, 29):
        try:
            return start.replace(month=month, day=day)
        except ValueError:
            continue
    return start.replace(month=month, day=28)
