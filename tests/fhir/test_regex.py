"""Authors' regular expressions."""

from __future__ import annotations

import pytest

from fhir_gateway.fhir import regex


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("[a-z]+", "abc", True),
        ("[a-z]+", "abc1", False),
        ("^a$", "a", True),
        (r"(?=.*\d).+", "a1", True),
        (r"(a)\1", "aa", True),
        ("((", "a", None),
        ("a", "\ud800", False),
        ("a" * 6_000, "a", None),
    ],
)
def test_a_pattern_fits_the_whole_text(pattern: str, text: str, fits: bool | None) -> None:
    assert regex.matches_whole(pattern, text) is fits


def test_backtracking_without_end_is_given_up() -> None:
    with pytest.raises(regex.TooSlow):
        regex.matches_whole(r"(?=a)(a|aa)+$", "a" * 80 + "!")
