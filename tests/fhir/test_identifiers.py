"""NHS numbers, ODS codes, and identifiers in searches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_gateway.fhir.identifiers import (
    identifier,
    is_ods_code,
    normalise_nhs_number,
    spaced_nhs_number,
    token,
)


@pytest.mark.parametrize(
    "typed", ["9990001006", "999 000 1006", " 999-000-1006 ", "999–000—1006", "999\u00a0000\t1006"]
)
def test_an_nhs_number_is_understood_however_it_is_spaced(typed: str) -> None:
    assert normalise_nhs_number(typed) == "9990001006"


@pytest.mark.parametrize(
    "typed",
    ["", "9990001007", "999000100", "99900010066", "999.000.1006", "٩٩٩٠٠٠١٠٠٦", "999000100x"],
)
def test_what_is_no_nhs_number_is_refused(typed: str) -> None:
    assert normalise_nhs_number(typed) is None


@given(st.integers(0, 999_999_999))
def test_of_all_check_digits_at_most_one_is_right(first_nine: int) -> None:
    numbers = [f"{first_nine:09}{check}" for check in range(10)]
    right = [number for number in numbers if normalise_nhs_number(number)]
    assert len(right) <= 1
    weights = sum(int(d) * w for d, w in zip(f"{first_nine:09}", range(10, 1, -1), strict=True))
    check = 11 - weights % 11
    if check == 10:
        assert right == []
    elif first_nine >= 100_000_000 and right:
        assert right[0][-1] == str(check % 11)


def test_an_nhs_number_is_shown_in_threes() -> None:
    assert spaced_nhs_number("9990001006") == "999 000 1006"


@pytest.mark.parametrize("code", ["RZZ", "RZZ99", "A1B2C3D4E5F6"])
def test_ods_codes_are_known_by_their_shape(code: str) -> None:
    assert is_ods_code(code)


@pytest.mark.parametrize("code", ["", "RZ", "rzz99", "RZZ 99", "A" * 13, "RZZ99\n"])
def test_other_codes_are_no_ods_codes(code: str) -> None:
    assert not is_ods_code(code)


def test_a_token_is_escaped_so_that_it_stays_one_value() -> None:
    assert token("urn:x", "a,b$c|d\\e") == "urn:x|a\\,b\\$c\\|d\\\\e"
    assert identifier("urn:x", "a") == {"system": "urn:x", "value": "a"}
