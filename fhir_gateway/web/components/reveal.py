"""What scripts may show at once: questions that depend on others of the same page.

The browser decides nothing: for each option of the question that is asked, the engine says here
whether the condition holds; the script looks that up. What it cannot look up is left to the server,
which shows the page again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fhir_gateway.fhir.types import Element
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.enablement import condition_met
from fhir_gateway.questionnaire.logic import Condition
from fhir_gateway.questionnaire.response import Node
from fhir_gateway.web.fields import field_name, is_shown, options
from fhir_gateway.web.fields.options import FREE_TEXT, control_of, is_choice

if TYPE_CHECKING:
    from fhir_gateway.web.components.drawing import Drawing


def table(drawing: Drawing, node: Node) -> dict[str, Any] | None:
    """When an item is shown, as the script reads it; None when only the server can say."""
    conditions = node.item.conditions
    above = _above(drawing.definition, node)
    below_question = node.parent is not None and node.parent.item.is_question
    if node.item.enable_expression or (above is None and (below_question or not conditions)):
        return None
    tables = [_condition(drawing.definition, c, drawing.sources, node) for c in conditions]
    if not all(tables):
        return None
    return {"any": node.item.any_condition_enables, "when": tables, "above": above}


def _above(definition: Definition, node: Node) -> dict[str, Any] | None:
    """A question stands within the answer of the question above it, so it needs one."""
    parent = node.parent
    if parent is None or not is_shown(parent) or parent.item.repeats:
        return None
    known = _answers(definition, parent)
    if known is None:
        return None
    return {"field": field_name(parent), "keys": list(known), "all": False, "none": False}


def _condition(
    definition: Definition, condition: Condition, sources: Mapping[str, list[Node]], node: Node
) -> dict[str, Any] | None:
    candidates = sources.get(condition.question, [])
    if len(candidates) != 1 or not is_shown(candidates[0]) or candidates[0] is node:
        return None
    source = candidates[0]
    answers = _answers(definition, source)
    if answers is None:
        return None
    met = [key for key, answer in answers.items() if condition_met(condition, [answer])]
    return {
        "field": field_name(source),
        "keys": met,
        # `!=` holds when no answer is equal, so all that is chosen must be among the keys.
        "all": condition.operator == "!=",
        "none": condition_met(condition, []),
    }


def _answers(definition: Definition, source: Node) -> dict[str, Element] | None:
    """The answers that can be chosen on the page, by the value of their field."""
    if source.item.type == "boolean":
        return {"true": {"valueBoolean": True}, "false": {"valueBoolean": False}}
    if not is_choice(source.item) or not _is_listed(source, definition):
        return None
    answers = {option.key: option.answer for option in options(source, definition)}
    return {**answers, FREE_TEXT: {"valueString": ""}}


def _is_listed(source: Node, definition: Definition) -> bool:
    return control_of(source.item, len(options(source, definition))) != "search"
