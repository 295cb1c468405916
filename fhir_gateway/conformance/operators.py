"""The operators of an assert (https://hl7.org/fhir/R4/valueset-assert-operator-codes.html).

An expression can give several values. A positive operator holds when one of them fits, a negative
one when none does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from fhir_gateway.conformance.errors import ScriptError

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T.*)?)?)?")

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


def _in(actual: str, expected: str) -> bool:
    return actual in [part.strip() for part in expected.split(",")]


def _numbers(actual: str, expected: str) -> tuple[Decimal, Decimal] | None:
    try:
        first, second = Decimal(actual), Decimal(expected)
    except InvalidOperation:
        return None
    return (first, second) if first.is_finite() and second.is_finite() else None


def _instants(actual: str, expected: str) -> tuple[datetime, datetime] | None:
    """Both as instants, where both say their time zone."""
    if not (_INSTANT.fullmatch(actual) and _INSTANT.fullmatch(expected)):
        return None
    try:
        return datetime.fromisoformat(actual), datetime.fromisoformat(expected)
    except ValueError:
        return None


def _order(actual: str, expected: str) -> int | None:
    """Negative, 0 or positive: how two numbers or dates stand to each other; None for others."""
    pair: tuple[Any, Any] | None = _numbers(actual, expected) or _instants(actual, expected)
    if pair:
        return int(pair[0] > pair[1]) - int(pair[0] < pair[1])
    if _DATE.fullmatch(actual) and _DATE.fullmatch(expected):
        return (actual > expected) - (actual < expected)
    return None


def _greater(actual: str, expected: str) -> bool:
    return (_order(actual, expected) or 0) > 0


def _less(actual: str, expected: str) -> bool:
    return (_order(actual, expected) or 0) < 0


_ONE: dict[str, Callable[[str, str], bool]] = {
    "equals": lambda actual, expected: actual == expected,
    "in": _in,
    "greaterThan": _greater,
    "lessThan": _less,
    "contains": lambda actual, expected: expected in actual,
}
_NOT = {"notEquals": "equals", "notIn": "in", "notContains": "contains"}
WITHOUT_VALUE = frozenset({"empty", "notEmpty", "eval"})
OPERATORS = frozenset(_ONE) | frozenset(_NOT) | WITHOUT_VALUE
#: How a message says it.
WORDS = {
    "equals": "be",
    "notEquals": "not be",
    "in": "be one of",
    "notIn": "be none of",
    "greaterThan": "be greater than",
    "lessThan": "be less than",
    "empty": "be empty",
    "notEmpty": "be there",
    "contains": "contain",
    "notContains": "not contain",
    "eval": "be true",
}


def holds(operator: str, actual: Sequence[str], expected: str | None) -> bool:
    """Whether the operator holds for the values that are there.

    Raises ScriptError for an unknown operator, or one that lacks its value.
    """
    if operator == "empty":
        return not any(actual)
    if operator == "notEmpty":
        return any(actual)
    if operator == "eval":
        return list(actual) == ["true"]
    if operator not in OPERATORS:
        raise ScriptError(f"'{operator[:40]}' is no operator of an assert")
    if expected is None:
        raise ScriptError(f"the operator '{operator}' needs a value to compare with")
    if operator in _NOT:
        return not any(_ONE[_NOT[operator]](one, expected) for one in actual)
    return any(_ONE[operator](one, expected) for one in actual)
