"""The author's own rules: questionnaire-constraint and targetConstraint, in FHIRPath."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fhir_gateway.fhir import path
from fhir_gateway.fhir.types import Element, as_dict, as_list, as_str
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.expressions import Scope
from fhir_gateway.questionnaire.issues import Code, Issue
from fhir_gateway.questionnaire.response import Node


@dataclass(frozen=True, slots=True)
class Constraint:
    """One rule: its key, severity, FHIRPath, and the words for people."""

    key: str
    severity: str
    expression: str
    human: str


def constraints_of(element: Element) -> list[Constraint]:
    """The constraints that an item, or a Questionnaire, carries.

    https://hl7.org/fhir/R4/extension-questionnaire-constraint.html and its successor
    targetConstraint, whose expression is an Expression.
    """
    found = []
    for extension in map(as_dict, as_list(element.get("extension"))):
        if extension.get("url") in (ext.CONSTRAINT, ext.TARGET_CONSTRAINT):
            found.append(_constraint(extension))
    return found


def check(node: Node, scope: Scope) -> Iterator[Issue]:
    """Issues of the constraints of one enabled instance; an expression starts from its item of
    the response, or one without content."""
    for constraint in constraints_of(node.item.raw):
        text, severity = _judge(constraint, scope, node)
        if text:
            yield _issue(constraint, node, text, severity)


def check_root(definition: Definition, scope: Scope) -> Iterator[Issue]:
    """Issues of the constraints on the whole response."""
    for constraint in constraints_of(definition.raw):
        text, severity = _judge(constraint, scope, None)
        if text:
            yield Issue(
                Code.CONSTRAINT,
                severity,
                text,
                "QuestionnaireResponse",
                args={"key": constraint.key},
                human=constraint.human,
            )


def _judge(constraint: Constraint, scope: Scope, node: Node | None) -> tuple[str, str]:
    """What is wrong, and how much; ('', '') when nothing is."""
    try:
        found = scope.evaluate(constraint.expression, at=node)
    except path.PathRefused as error:
        return f"the rule cannot be evaluated: {error}", "warning"
    # No result means that the rule says nothing about this response.
    if not found or path.is_true(found):
        return "", ""
    severity = "warning" if constraint.severity == "warning" else "error"
    return f"breaks the rule {constraint.key}", severity


def _constraint(extension: Element) -> Constraint:
    parts = {
        as_str(part.get("url")): next((v for k, v in part.items() if k.startswith("value")), None)
        for part in map(as_dict, as_list(extension.get("extension")))
    }
    expression = parts.get("expression")
    return Constraint(
        key=as_str(parts.get("key")),
        severity=as_str(parts.get("severity")),
        expression=as_str(expression) or as_str(as_dict(expression).get("expression")),
        human=as_str(parts.get("human")),
    )


def _issue(constraint: Constraint, node: Node, text: str, severity: str) -> Issue:
    return Issue(
        Code.CONSTRAINT,
        severity,
        text,
        node.expression,
        node.item.link_id,
        node.address,
        {"key": constraint.key},
        constraint.human,
    )
