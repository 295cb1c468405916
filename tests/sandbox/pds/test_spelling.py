from __future__ import annotations

import time

import pytest

from fhir_gateway.sandbox.pds.spelling import (
    are_forms_of_one_name,
    compact_postcode,
    fits_pattern,
    fold,
    is_postcode,
    slips,
    soundex,
    tidy,
)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Robert", "R163"),
        ("Rupert", "R163"),
        ("Ashcraft", "A261"),  # h does not separate s and c
        ("Tymczak", "T522"),
        ("Pfister", "P236"),  # p and f are of one group
        ("Honeyman", "H555"),
        ("Smith", "S530"),
        ("Smythe", "S530"),
        ("O'Hara", "O600"),
        ("Kamiński", "K552"),
        ("A", "A000"),
        ("", ""),
        ("🙂", ""),
        ("李", ""),
    ],
)
def test_soundex_gives_the_published_codes(name: str, code: str) -> None:
    assert soundex(name) == code


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Joe", "Joseph", True),
        ("BOB", "robert", True),
        ("Kate", "Catherine", True),
        ("Joe", "Joanna", False),
        ("Priya", "Priya", False),  # in no group: equality is for others to see
        ("", "", False),
    ],
)
def test_short_forms_stand_for_the_long_one(one: str, other: str, same: bool) -> None:
    assert are_forms_of_one_name(one, other) is same


@pytest.mark.parametrize(
    ("typed", "tidied", "folded"),
    [
        ("  O’Connor ", "o'connor", "o'connor"),
        ("Adeyemi–Clarke", "adeyemi-clarke", "adeyemi-clarke"),
        ("KAMIŃSKI", "kamiński", "kaminski"),
        ("Łukasz", "łukasz", "lukasz"),
        ("ATTSÖN", "attsön", "attson"),
        ("Anna   Maria", "anna maria", "anna maria"),
        ("Zoe\u0308", "zoë", "zoe"),
    ],
)
def test_case_punctuation_and_accents_are_set_aside(typed: str, tidied: str, folded: str) -> None:
    assert tidy(typed) == tidied
    assert fold(typed) == folded


@pytest.mark.parametrize(
    ("text", "pattern", "fits"),
    [
        ("smith", "sm*", True),
        ("smith", "smith*", True),
        ("smith", "sm*h", True),
        ("smith", "sm*i*h", True),
        ("smith", "smi*mith", False),  # the parts may not overlap
        ("smith", "sn*", False),
        ("smith", "sm*x*h", False),
        ("smith", "smith", True),
        ("smithson", "smith", False),
        ("a+b", "a+*", True),
        ("smith", "sm**", True),
    ],
)
def test_a_star_stands_for_any_characters(text: str, pattern: str, fits: bool) -> None:
    assert fits_pattern(text, pattern) is fits


def test_many_stars_cost_no_time() -> None:
    started = time.perf_counter()
    assert not fits_pattern("a" * 5000, "a*" * 200 + "b")
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        ("LS16AE", "LS16AE", 0),
        ("LS16AE", "LS16AF", 1),
        ("LS16AE", "LS116AE", 1),
        ("LS16AE", "SL16AE", 2),
        ("LS16AE", "ZZ997CZ", 3),
        ("", "LS16AE", 3),
    ],
)
def test_slips_are_counted_up_to_the_most_allowed(one: str, other: str, count: int) -> None:
    assert slips(one, other, most=2) == count


@pytest.mark.parametrize(
    ("typed", "good"),
    [
        ("ls1 6ae", True),
        (" M20  4WX", True),
        ("EC1A 1BB", True),
        ("DN15258JY", False),
        ("LS", False),
        ("", False),
    ],
)
def test_the_form_of_a_postcode_is_seen(typed: str, good: bool) -> None:
    assert is_postcode(compact_postcode(typed)) is good
