"""What the gateway fills in itself while a form is answered: calculatedExpression.

https://hl7.org/fhir/uv/sdc/behavior.html#calculations. Calculated answers feed others, so this goes
round until nothing changes; circles are found by lint and end here after some rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fhir_gateway.fhir import path
from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.questionnaire.conversion import answers_from
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.enablement import Enablement
from fhir_gateway.questionnaire.expressions import Scope
from fhir_gateway.questionnaire.response import Node, ResponseTree, emit, with_items

MAX_ROUNDS = 10


def calculated(
    definition: Definition,
    response: Resource,
    *,
    now: datetime | None = None,
    launch: Mapping[str, Any] | None = None,
) -> Resource:
    """The response with every calculated answer as it follows from the others.

    A calculated item that people may change (not readOnly) keeps what it has. An expression that
    fails leaves its item alone. Answers of disabled items stay as they are.
    """
    if not any(item.calculated for item in definition.all_items):
        return response
    tree = ResponseTree(definition, response)
    for _ in range(MAX_ROUNDS):
        enablement = Enablement(tree, now=now, launch=launch)
        if not _calculate(tree, enablement):
            break
    return with_items(response, emit(tree.roots, lambda _: True))


def calculation(node: Node, scope: Scope, definition: Definition) -> list[Element] | None:
    """The answers that an instance's calculatedExpression gives now; None when it has none or it
    fails."""
    expression = node.item.calculated
    if expression is None or not expression.is_path or not node.item.is_question:
        return None
    try:
        results = scope.evaluate(expression.text, at=node)
    except path.PathRefused:
        return None
    return answers_from(definition, node.item, results)


def _calculate(tree: ResponseTree, enablement: Enablement) -> bool:
    """One round; whether anything changed."""
    scope = enablement.scope()
    changed = False
    for node in tree.nodes():
        if node.item.calculated is None or not enablement.is_enabled(node):
            continue
        if node.answers and not node.item.read_only and not node.item.hidden:
            continue
        answers = calculation(node, scope, tree.definition)
        if answers is not None and answers != node.answers:
            node.answers = answers
            changed = True
    return changed
