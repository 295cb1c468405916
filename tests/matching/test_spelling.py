from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_gateway.matching import spelling


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("O'Connor", "o’connor"),
        ("O'Connor", "OCONNOR"),
        ("Anne-Marie", "Anne Marie"),
        ("Siân", "Sian"),
        ("Wójcik", "Wojcik"),
        ("Zoe\u0308", "Zoë"),
        ("Łukasz", "lukasz"),
        ("Strauß", "STRAUSS"),
        ("St. John", "St John"),
        ("Smith\u200b", "Smith"),
    ],
)
def test_names_that_are_the_same_fold_to_the_same(one: str, other: str) -> None:
    assert spelling.fold(one) == spelling.fold(other)


@pytest.mark.parametrize(("one", "other"), [("Jane", "Jayne"), ("Ali", "Aly"), ("Ng", "Nguyen")])
def test_names_that_differ_do_not(one: str, other: str) -> None:
    assert spelling.fold(one) != spelling.fold(other)


@pytest.mark.parametrize(
    "postcode", ["LS6 2AB", "ls62ab", " ls6  2ab ", "LS6-2AB", "ＬＳ６ ２ＡＢ"]
)
def test_a_postcode_folds_however_it_is_written(postcode: str) -> None:
    assert spelling.fold_postcode(postcode) == "LS62AB"
    assert spelling.spaced_postcode(postcode) == "LS6 2AB"


@pytest.mark.parametrize(
    ("one", "other", "slip"),
    [
        ("sharma", "sharmaa", True),
        ("sharma", "shrma", True),
        ("sharma", "shamra", True),
        ("sharma", "shanma", True),
        ("sharma", "sharma", False),
        ("sharma", "shxrmx", False),
        ("sharma", "harmas", False),
        ("lee", "leo", False),
        ("sharma", "", False),
    ],
)
def test_one_slip_is_one(one: str, other: str, slip: bool) -> None:
    assert spelling.one_slip(one, other) is slip
    assert spelling.one_slip(other, one) is slip


@given(st.text("abcde", min_size=4, max_size=9), st.data())
def test_any_single_slip_is_seen(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from("xyz"))
    assert spelling.one_slip(word, word[:at] + letter + word[at + 1 :])
    assert spelling.one_slip(word, word[:at] + letter + word[at:])
    if len(word) > 4:
        assert spelling.one_slip(word, word[:at] + word[at + 1 :])
    if at and word[at] != word[at - 1]:
        assert spelling.one_slip(word, word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :])


@given(st.text(max_size=12), st.text(max_size=12))
def test_slips_and_folding_never_fail(one: str, other: str) -> None:
    spelling.one_slip(spelling.fold(one), spelling.fold(other))
    spelling.searched(one)
    assert spelling.fold(spelling.fold(one)) == spelling.fold(one)


def test_a_postcode_slip_keeps_its_length() -> None:
    assert spelling.one_postcode_slip("LS62AB", "LS62AD")
    assert spelling.one_postcode_slip("LS62AB", "LS62BA")
    assert not spelling.one_postcode_slip("LS62AB", "LS162AB")
    assert not spelling.one_postcode_slip("LS62AB", "LS62AB")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("alex", "alexander", True),
        ("alex", "alexandra", True),
        ("alexander", "alexandra", False),
        ("kate", "katherine", True),
        ("mo", "mohammed", True),
        ("jack", "john", False),
        ("harry", "henry", False),
        ("sam", "sam", False),
    ],
)
def test_short_forms(one: str, other: str, same: bool) -> None:
    assert spelling.short_form(one, other) is same


def test_what_pds_is_asked_has_no_wildcard_of_the_patient_s() -> None:
    assert spelling.searched("O’Con*nor ") == "O'Con nor"
    assert spelling.searched("  Anne–Marie  ") == "Anne-Marie"
