from __future__ import annotations

import pytest

from fhir_gateway.conformance import operators
from fhir_gateway.conformance.errors import ScriptError


@pytest.mark.parametrize(
    ("operator", "actual", "expected", "holds"),
    [
        ("equals", ["a"], "a", True),
        ("equals", ["a", "b"], "b", True),
        ("equals", ["A"], "a", False),
        ("equals", [], "a", False),
        ("notEquals", ["a", "b"], "b", False),
        ("notEquals", [], "b", True),
        ("in", ["201"], "200, 201", True),
        ("in", ["20"], "200,201", False),
        ("notIn", ["404"], "200,201", True),
        ("notIn", ["201"], "200,201", False),
        ("greaterThan", ["10"], "9", True),
        ("greaterThan", ["9"], "9", False),
        ("greaterThan", ["2026-02-01"], "2026-01-31", True),
        ("greaterThan", ["a"], "b", False),
        ("greaterThan", ["2026-01-01T10:00:00+02:00"], "2026-01-01T09:00:00Z", False),
        ("lessThan", ["2026-01-01T10:00:00+02:00"], "2026-01-01T09:00:00Z", True),
        ("greaterThan", ["2026-01-01T10:00:00.5Z"], "2026-01-01T10:00:00Z", True),
        ("lessThan", ["2026-01-01T10:00:00.500Z"], "2026-01-01T10:00:00.500+00:00", False),
        ("greaterThan", ["2026-13-01T10:00:00Z"], "2026-12-01T10:00:00Z", True),
        ("lessThan", ["9.5"], "10", True),
        ("lessThan", ["10"], "9", False),
        ("lessThan", ["2025"], "2026", True),
        ("lessThan", ["NaN"], "1", False),
        ("contains", ["application/fhir+json"], "json", True),
        ("contains", [], "json", False),
        ("notContains", ["x"], "json", True),
        ("notContains", ["json"], "json", False),
        ("empty", [], None, True),
        ("empty", [""], None, True),
        ("empty", ["a"], None, False),
        ("notEmpty", ["a"], None, True),
        ("notEmpty", [], None, False),
        ("eval", ["true"], None, True),
        ("eval", ["false"], None, False),
        ("eval", [], None, False),
        ("eval", ["true", "true"], None, False),
    ],
)
def test_each_operator_of_r4(
    operator: str, actual: list[str], expected: str | None, holds: bool
) -> None:
    assert operators.holds(operator, actual, expected) is holds


def test_an_unknown_operator_is_an_error_of_the_script() -> None:
    with pytest.raises(ScriptError, match="no operator"):
        operators.holds("resembles", ["a"], "a")


def test_an_operator_without_its_value_is_an_error_of_the_script() -> None:
    with pytest.raises(ScriptError, match="needs a value"):
        operators.holds("equals", ["a"], None)


def test_each_operator_has_words() -> None:
    assert set(operators.WORDS) == operators.OPERATORS
