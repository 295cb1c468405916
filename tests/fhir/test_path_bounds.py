"""FHIRPath: typed, bounded, and nothing that leaks or lies."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_gateway.fhir import path, path_engine

BASIC: dict[str, Any] = {"resourceType": "Basic", "id": "x"}


def found(expression: str, **variables: Any) -> list[Any]:
    return path.plain_all(path.evaluate(expression, BASIC, variables))


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("trace('x')", "trace"),
        ("%list.trace('x')", "trace"),
        ("a b", "not expected here"),
        ("((", "cannot be parsed"),
        ("'x", "cannot be parsed"),
        ("Condition?patient={{%patient.id}}", "cannot be parsed"),
        ("%nobody", "there is no variable 'nobody'"),
        ("nothing()", "there is no function 'nothing'"),
        ("'a'.matches('(')", "regular expression"),
        ("'a'.matches('(?=a)')", "regular expression"),
        ("(" * 61 + "1" + ")" * 61, "nests deeper"),
        ("'" + "x" * 8_000 + "'", "longer than"),
        ("%list.select(%list.select(%list.select(%list)))", "took (more|longer) than"),
    ],
)
def test_an_expression_beyond_what_is_allowed_is_refused(expression: str, why: str) -> None:
    with pytest.raises(path.PathRefused, match=why):
        found(expression, list=list(range(100)))


def test_what_takes_too_long_within_its_steps_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path, "MAX_SECONDS", 0.2)
    monkeypatch.setattr(path_engine, "MAX_STEPS", 10**9)
    started = time.monotonic()
    with pytest.raises(path.PathRefused, match="took longer"):
        found("%list.select(%list.where($this > 3).count())", list=list(range(900)))
    assert time.monotonic() - started < 5


def test_a_refusal_shows_the_expression_and_no_data() -> None:
    with pytest.raises(path.PathRefused) as refused:
        found("%secret.toQuantity() + 'x' * 3", secret=["private", "words"])
    assert "private" not in str(refused.value)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("%p.where(flag)", []),
        ("%p.where(flag.not()).name", ["n"]),
        ("%p.exists(flag)", [False]),
        ("%p.all(flag)", [False]),
        ("%p.where(name).name", ["n"]),
        ("iif(%p.flag, 'yes', 'no')", ["no"]),
        ("%p.name.hasValue()", [True]),
        ("%p.none.hasValue()", [False]),
        ("'abc'.matchesFull('b')", [False]),
        ("'abc'.matches('b')", [True]),
        ("'a.b'.replaceMatches('[.]', '\\\\g<0>')", ["a\\g<0>b"]),
        ("'ab'.replaceMatches('(a)(b)', '$2$1')", ["ba"]),
        ("'x'.combine('y')", ["x", "y"]),
    ],
)
def test_functions(expression: str, expected: list[Any]) -> None:
    assert found(expression, p={"flag": False, "name": "n"}) == expected


def test_a_pattern_on_a_long_answer_takes_no_time() -> None:
    started = time.monotonic()
    assert found("%text.matches('(a+)+$')", text="a" * 5_000 + "!") == [False]
    assert time.monotonic() - started < 1


def test_the_clock_is_handed_in() -> None:
    moment = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
    assert path.evaluate("today()", BASIC, now=moment) == ["2026-03-04"]
