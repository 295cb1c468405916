"""When items apply: enableWhen."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_gateway.questionnaire.advice.finding import Finding, error, warning
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.item import Item
from fhir_gateway.questionnaire.logic import Condition
from fhir_gateway.questionnaire.values import VALUE_TYPES

_OPERATORS = frozenset({"exists", "=", "!=", ">", "<", ">=", "<="})
_ORDERING = frozenset({">", "<", ">=", "<="})
_UNORDERED = frozenset("boolean choice open-choice attachment reference".split())
_HL7 = "Questionnaire_Q_EnableWhen"


def item(item: Item, definition: Definition) -> Iterator[Finding]:
    """Findings about the conditions of one item."""
    if len(item.conditions) > 1 and not item.raw.get("enableBehavior"):
        yield error("no-enable-behavior", item, "Several enableWhen need enableBehavior (que-12).")
    for condition in item.conditions:
        target = definition.by_link_id.get(condition.question)
        if not condition.question:
            yield error(
                "enable-when-target", item, "An enableWhen names no question.", f"{_HL7}_NoLink"
            )
        elif target is None:
            text = f"There is no item '{condition.question}'."
            yield error("enable-when-target", item, text, f"{_HL7}_NoTarget")
        else:
            yield from _target(item, target, condition)


def _target(item: Item, target: Item, condition: Condition) -> Iterator[Finding]:
    if target is item:
        yield error("enable-when-self", item, "The item depends on itself.", f"{_HL7}_Self")
    elif item in target.ancestors():
        text = "The item depends on one within it."
        yield error("enable-when-self", item, text, f"{_HL7}_IsInner")
    elif target.order > item.order:
        text = f"'{condition.question}' comes later."
        yield warning("enable-when-later", item, text, f"{_HL7}_After")
    if not target.is_question:
        text = f"'{condition.question}' is a {target.type}, which has no answer."
        yield error("enable-when-target", item, text)
    yield from _operator(item, target, condition)


def _operator(item: Item, target: Item, condition: Condition) -> Iterator[Finding]:
    if condition.operator not in _OPERATORS:
        yield error("enable-when-operator", item, f"'{condition.operator}' is no operator.")
    elif condition.operator == "exists":
        if condition.expected_type != "Boolean":
            yield error("enable-when-exists", item, "exists needs answerBoolean (que-7).")
        return
    if condition.operator == "!=":
        yield warning(
            "enable-when-unequal", item, "!= is false without an answer; consider `exists`."
        )
    if condition.operator in _ORDERING and target.type in _UNORDERED:
        text = f"Answers to a {target.type} have no order: '{condition.operator}' never holds."
        yield error("enable-when-operator", item, text)
    possible = VALUE_TYPES.get(target.type, ())
    if possible and condition.expected_type not in possible:
        numbers = {"Integer", "Decimal"}
        if not (condition.expected_type in numbers and numbers & set(possible)):
            yield warning(
                "enable-when-type",
                item,
                f"answer{condition.expected_type} never equals an answer to a {target.type}.",
            )
