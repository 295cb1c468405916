"""Decimals within, and what the caller gave without.

FHIR decimals are exact, binary floats are not (https://hl7.org/fhir/R4/json.html#primitive). JSON
that was read with floats is computed with decimals all the same, and handed back with floats, so
that a caller's own serialiser can write it.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any


def number_types(value: Any) -> set[type]:
    """Which of float and Decimal are anywhere within JSON."""
    found: set[type] = set()
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            pending.extend(current.values())
        elif isinstance(current, list | tuple):
            pending.extend(current)
        elif type(current) in (float, Decimal):
            found.add(type(current))
    return found


def exact(value: Any) -> Any:
    """The JSON with its floats as the decimals they are written as."""
    return _changed(value, float, lambda n: Decimal(repr(n)))


def inexact(value: Any) -> Any:
    """The JSON with its decimals as floats, or as integers when they were computed whole."""
    return _changed(value, Decimal, _float)


def _float(number: Decimal) -> float | int:
    if number.is_finite() and number == number.to_integral_value() and abs(number) < 2**53:
        return int(number)
    return float(number)


def _changed(value: Any, kind: type, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {key: _changed(part, kind, change) for key, part in value.items()}
    if isinstance(value, list):
        return [_changed(part, kind, change) for part in value]
    return change(value) if type(value) is kind else value
