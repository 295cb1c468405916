"""Which options a choice offers now: its published ones, or what its answerExpression gives, less
those that an answerOptionsToggleExpression holds back.

https://hl7.org/fhir/uv/sdc/behavior.html#choices
"""

from __future__ import annotations

from fhir_gateway.fhir import path
from fhir_gateway.fhir.types import as_dict, as_list
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.expressions import Scope
from fhir_gateway.questionnaire.logic import Toggle
from fhir_gateway.questionnaire.options import Option
from fhir_gateway.questionnaire.response import Node
from fhir_gateway.questionnaire.values import same


def offered(node: Node, definition: Definition, scope: Scope) -> tuple[Option, ...]:
    """The options of an instance in this state.

    Raises terminology.NotExpandable when they are in a value set that is not at hand.
    """
    if node.item.answer_expression is not None:
        return _expressed(node, scope)
    options = definition.options(node.item)
    held_back = [o for t in node.item.toggles if not _holds(t, node, scope) for o in t.options]
    if not held_back:
        return options
    return tuple(
        option
        for option in options
        if not any(same(option.type, option.value, *held) for held in held_back)
    )


def _expressed(node: Node, scope: Scope) -> tuple[Option, ...]:
    expression = node.item.answer_expression
    if expression is None or not expression.is_path:
        return ()
    try:
        results = path.plain_all(scope.evaluate(expression.text, at=node))
    except path.PathRefused:
        return ()
    return tuple(option for result in results for option in _options(result))


def _options(result: object) -> list[Option]:
    if isinstance(result, bool):
        return []
    if isinstance(result, int):
        return [Option("Integer", result)]
    if isinstance(result, str):
        return [Option("String", result)]
    element = as_dict(result)
    if element.get("resourceType") and element.get("id"):
        reference = {"reference": f"{element['resourceType']}/{element['id']}"}
        return [Option("Reference", reference)]
    if "reference" in element:
        return [Option("Reference", element)]
    codings = as_list(element.get("coding")) or ([element] if "code" in element else [])
    return [Option("Coding", as_dict(coding)) for coding in codings]


def _holds(toggle: Toggle, node: Node, scope: Scope) -> bool:
    """SDC: an option stays while its expression is not false; a broken one holds nothing back."""
    if not toggle.when.is_path:
        return True
    try:
        return scope.is_true(toggle.when.text, at=node)
    except path.PathRefused:
        return True
