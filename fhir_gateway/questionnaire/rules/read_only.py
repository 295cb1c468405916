"""What people may not change: readOnly answers that are not what the form itself gives.

A readOnly item has its answer from `initial`, or from a calculatedExpression. Where that is known
for sure, another answer has been tampered with. Where it came from a launch context (populated), it
cannot be known here and is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_gateway.fhir.types import Element
from fhir_gateway.questionnaire.calculation import calculation
from fhir_gateway.questionnaire.issues import Code, Issue
from fhir_gateway.questionnaire.options import value_of
from fhir_gateway.questionnaire.response import Node
from fhir_gateway.questionnaire.rules.context import Checking
from fhir_gateway.questionnaire.values import number, same

_TOLERANCE = 1e-9
_CLOCKS = ("now()", "today()", "timeOfDay()")


def check(node: Node, checking: Checking) -> Iterator[Issue]:
    """Issues of one enabled question that is readOnly and has an answer."""
    item = node.item
    if not item.read_only or not node.answers:
        return
    given = [value_of(answer) for answer in node.answers]
    expected = _expected(node, checking)
    if expected is None or _equal(given, expected):
        return
    yield Issue(
        Code.READ_ONLY,
        "error",
        "the answer cannot be changed, and is not what the Questionnaire gives",
        node.expression,
        item.link_id,
        node.address,
    )


def _expected(node: Node, checking: Checking) -> list[tuple[str, Any]] | None:
    """The values that the form gives; None when that is not known."""
    item = node.item
    if item.calculated is not None:
        text = item.calculated.text
        if any(clock in text for clock in _CLOCKS) or not checking.scope.knows(text, node):
            return None
        answers: list[Element] = calculation(node, checking.scope, checking.definition) or []
        return [value_of(answer) for answer in answers] or None
    if item.initial_expression is not None:
        return None
    return item.initial_values or None


def _equal(given: list[tuple[str, Any]], expected: list[tuple[str, Any]]) -> bool:
    if len(given) != len(expected):
        return False
    return all(_same(*one, *other) for one, other in zip(given, expected, strict=True))


def _same(kind: str, value: Any, other_kind: str, other: Any) -> bool:
    left, right = number(value), number(other)
    if left is not None and right is not None:
        scale = max(abs(float(left)), abs(float(right)), 1.0)
        return abs(float(left) - float(right)) <= _TOLERANCE * scale
    if kind == other_kind and value == other:
        return True
    return same(kind, value, other_kind, other)
