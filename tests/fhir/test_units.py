"""Units of UCUM."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhir_gateway.fhir import units


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (("1", "kg"), ("1000", "g"), 0),
        (("1", "kg"), ("1001", "g"), -1),
        (("100", "Cel"), ("200", "[degF]"), 1),
        (("5.5", "mmol/L"), ("5.4", "mmol/L"), 1),
        (("120", "mm[Hg]"), ("16", "kPa"), -1),
        (("1", "kg"), ("1", "m"), None),
        (("1", "kg"), ("1", "nonsense"), None),
    ],
)
def test_amounts_are_compared_across_units(
    left: tuple[str, str], right: tuple[str, str], expected: int | None
) -> None:
    first, second = (Decimal(left[0]), left[1]), (Decimal(right[0]), right[1])
    assert units.order(*first, *second) == expected


def test_what_is_no_unit_is_known() -> None:
    assert units.is_unit("kg/m2")
    assert not units.is_unit("stones")
    assert not units.is_unit("x" * 1000)
