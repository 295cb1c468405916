"""FHIRPath: read to its end, bounded, and with regular expressions that come to an end."""

from __future__ import annotations

import time
from typing import Any

import pytest

from fhir_gateway.fhir import path


@pytest.mark.parametrize(
    "expression", ["a b", "(a", "a +", "a..b", ")", "", "a.where(", "x" * 9_000]
)
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(path.PathRefused):
        path.compile_expression(expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a.matches('^[0-9]+$')", [True]),
        ("a.matches('b')", [False]),
        ("a.replaceMatches('([0-9])', '<$1>')", ["<1><2>"]),
        ("b.matches('x')", []),
        ("2.power(3)", [8]),
        ("2.power(100000)", []),
    ],
)
def test_functions_that_are_ours(expression: str, expected: list[Any]) -> None:
    assert path.plain_all(path.evaluate(expression, {"a": "12"})) == expected


def test_a_budget_is_shared_and_ends() -> None:
    budget = path.Budget(0.2)
    started = time.perf_counter()
    for _ in range(3):
        with pytest.raises(path.PathRefused, match=r"took|left out"):
            path.evaluate("(1|2).repeat($this + 1).count()", {}, budget=budget)
    assert time.perf_counter() - started < 5


def test_the_variables_of_an_expression_are_known() -> None:
    found = path.variables_in("%a + %`b-c` & %'d' + %resource.item")
    assert found == {"a", "b-c", "d", "resource"}


def test_resource_types_are_those_of_r4() -> None:
    assert path.is_resource_type("Patient")
    assert not path.is_resource_type("Chicken")
    assert not path.is_resource_type("Coding")
