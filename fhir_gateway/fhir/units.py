"""Quantities of UCUM units, compared across units by ucumvert and pint.

https://ucum.org. The registry of units takes a second to make, so it is made when the first two
different units meet, once a process.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

UCUM = "http://unitsofmeasure.org"

#: Two amounts closer than this part of themselves are equal: conversion factors are not exact.
_TOLERANCE = 1e-9
_MAX_CODE = 100


def order(left: Decimal, left_code: str, right: Decimal, right_code: str) -> int | None:
    """-1, 0 or 1 as the left quantity is less than, equal to or more than the right; None when
    the units cannot be compared or are not of UCUM."""
    if left_code == right_code:
        return (left > right) - (left < right)
    other = _convert(float(right), right_code, left_code)
    if other is None:
        return None
    value = float(left)
    if abs(value - other) <= _TOLERANCE * max(abs(value), abs(other)):
        return 0
    return -1 if value < other else 1


def is_unit(code: str) -> bool:
    """Whether UCUM knows the unit."""
    return _unit(code) is not None


def _convert(value: float, code: str, to: str) -> float | None:
    source, target = _unit(code), _unit(to)
    if source is None or target is None:
        return None
    from pint.errors import PintError

    try:
        return float(_registry().Quantity(value, source).to(target).magnitude)
    except (PintError, ArithmeticError, ValueError):
        return None


@lru_cache(maxsize=512)
def _unit(code: str) -> Any | None:
    if not code or len(code) > _MAX_CODE:
        return None
    from lark.exceptions import LarkError
    from pint.errors import PintError

    try:
        return _registry().from_ucum(code).units
    except (LarkError, PintError, ArithmeticError, ValueError, AttributeError, KeyError):
        return None


@lru_cache(maxsize=1)
def _registry() -> Any:
    from ucumvert import PintUcumRegistry

    return PintUcumRegistry()
