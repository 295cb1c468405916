"""Scopes: what is granted is never more than what was registered, nor than what was asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_gateway.auth import scopes
from fhir_gateway.auth.scopes import ALL_SCOPES, LETTERS, Scopes

TYPES = ["Task", "Patient", "AuditEvent", "Questionnaire"]
NAMES = st.sampled_from([*TYPES, "*"])
RIGHTS = st.sets(st.sampled_from(LETTERS), min_size=1).map(
    lambda chosen: "".join(letter for letter in LETTERS if letter in chosen)
)
WORDS = st.builds("system/{}.{}".format, NAMES, RIGHTS | st.sampled_from(["read", "write", "*"]))
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)
PAIRS = [(name, letter) for name in [*TYPES, "Binary"] for letter in LETTERS]


@given(TEXTS, TEXTS)
def test_a_grant_is_exactly_what_both_allow(asked: str, registered: str) -> None:
    left, right = scopes.parse(asked), scopes.parse(registered)
    granted = left & right
    for pair in PAIRS:
        assert granted.may(*pair) == (left.may(*pair) and right.may(*pair))


@given(TEXTS)
def test_what_is_written_reads_the_same(text: str) -> None:
    read = scopes.parse(text)
    again = scopes.parse(str(read))
    assert all(read.may(*pair) == again.may(*pair) for pair in PAIRS)
    assert scopes.unknown(str(read).split()) == []


@given(TEXTS, TEXTS)
def test_an_answer_never_names_more_than_was_granted(asked: str, registered: str) -> None:
    granted = scopes.parse(asked) & scopes.parse(registered)
    said = scopes.parse(scopes.as_granted(asked, granted))
    assert all(said.may(*pair) == granted.may(*pair) for pair in PAIRS)


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert isinstance(scopes.parse(text), Scopes)


@pytest.mark.parametrize(
    "word",
    [
        "system/Task",
        "system/Task.",
        "system/Task.sr",
        "system/Task.rr",
        "system/Task.x",
        "system/Task.rs?status=requested",
        "system/task.rs",
        "system/../*.rs",
        "user/Task.rs",
        "patient/*.cruds",
        "system/Task.READ",
        "openid",
        "system/Task.rs\n",
    ],
)
def test_what_is_no_system_scope_grants_nothing(word: str) -> None:
    assert scopes.unknown([word]) == [word]
    assert not scopes.parse(word.strip()) or word != word.strip()


def test_version_1_means_what_smart_says() -> None:
    assert scopes.parse("system/Task.read") == Scopes.of([("Task", "rs")])
    assert scopes.parse("system/Task.write") == Scopes.of([("Task", "cud")])
    assert scopes.parse("system/*.*") == ALL_SCOPES
    assert scopes.as_granted("system/Task.read", Scopes.of([("Task", "rs")])) == "system/Task.read"
    assert scopes.as_granted("system/Task.read", Scopes.of([("Task", "r")])) == "system/Task.r"


def test_the_wildcard_covers_every_type_but_only_its_letters() -> None:
    read = scopes.parse("system/*.r system/Task.ru")
    assert read.may("Patient", "r")
    assert read.may("Task", "u")
    assert not read.may("Patient", "u")
    assert str(read) == "system/*.r system/Task.u"
