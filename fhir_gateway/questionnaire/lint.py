"""What is wrong with a Questionnaire before anybody fills it in: codes, places and advice.

The gate for questionnaires that patients see: what would fail at run time, or could not be shown,
is found here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from fhir_gateway.fhir import path, regex
from fhir_gateway.fhir.terminology import NotExpandable
from fhir_gateway.fhir.types import as_dict, as_list, as_str
from fhir_gateway.questionnaire import answerable
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.definition import CHOICE_TYPES, QUESTION_TYPES, Definition, Item
from fhir_gateway.questionnaire.rules.constraints import constraints_of

_OPERATORS = frozenset({"exists", "=", "!=", ">", "<", ">=", "<="})
_ITEM_TYPES = QUESTION_TYPES | {"group", "display"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `severity`: error (must not be published) or warning."""

    code: str
    severity: str
    link_id: str
    text: str


def lint(definition: Definition, *, shown_types: Collection[str] | None = None) -> list[Finding]:
    """Every finding, in document order. `shown_types`: the item types that pages can show (None:
    do not ask)."""
    found = list(_root(definition))
    seen: set[str] = set()
    for item in definition.all_items():
        if not item.link_id:
            found.append(_error("no-link-id", item, "The item has no linkId."))
        elif item.link_id in seen:
            found.append(_error("duplicate-link-id", item, "Another item has this linkId."))
        seen.add(item.link_id)
        found.extend(_item(item, definition))
        found.extend(_conditions(item, definition))
        found.extend(_expressions(item))
        found.extend(_shown(item, shown_types))
        found.extend(Finding(c, s, item.link_id, t) for c, s, t in answerable.problems(item))
    return found


def _root(definition: Definition) -> Iterator[Finding]:
    for name in ("url", "version", "title", "status"):
        if not definition.raw.get(name):
            yield Finding("no-" + name, "warning", "", f"Questionnaire.{name} is missing.")
    if not definition.items:
        yield Finding("no-items", "error", "", "There are no items.")


def _item(item: Item, definition: Definition) -> Iterator[Finding]:
    if item.type not in _ITEM_TYPES:
        yield _error("unknown-type", item, f"'{item.type}' is not an R4 item type.")
    if item.is_question and not item.text:
        yield _warning(
            "no-text", item, "A question needs a text: pages call it after its code or group."
        )
    if item.required and item.hidden:
        yield _error("required-hidden", item, "Nobody can answer an item that is not shown.")
    if item.required and item.type == "display":
        yield _error("required-display", item, "A display item cannot be required.")
    if item.type in CHOICE_TYPES:
        yield from _options(item, definition)
    pattern = as_str(item.extension(ext.REGEX))
    if pattern and regex.compiled(pattern) is None:
        yield _error("bad-regex", item, "The regex cannot be read (RE2 syntax, no look-around).")


def _options(item: Item, definition: Definition) -> Iterator[Finding]:
    if not item.raw.get("answerValueSet"):
        if not as_list(item.raw.get("answerOption")):
            yield _error("no-options", item, "A choice needs answerOption or answerValueSet.")
        return
    try:
        if not definition.value_set(item):
            yield _error("no-options", item, "The value set is empty.")
    except NotExpandable as error:
        yield _error("value-set", item, f"{error}.")


def _conditions(item: Item, definition: Definition) -> Iterator[Finding]:
    if len(item.conditions) > 1 and not item.raw.get("enableBehavior"):
        yield _error("no-enable-behavior", item, "Several enableWhen need enableBehavior (que-12).")
    for condition in item.conditions:
        target = definition.by_link_id.get(condition.question)
        if target is None:
            yield _error("enable-when-target", item, f"There is no item '{condition.question}'.")
            continue
        if target is item or item in target.ancestors():
            yield _error("enable-when-self", item, "The item depends on itself.")
        if target.order > item.order:
            yield _warning("enable-when-later", item, f"'{condition.question}' comes later.")
        if condition.operator not in _OPERATORS:
            yield _error("enable-when-operator", item, f"'{condition.operator}' is no operator.")
        if condition.operator == "!=":
            yield _warning(
                "enable-when-unequal", item, "!= is false without an answer; consider `exists`."
            )
        if condition.operator == "exists" and condition.expected_type != "Boolean":
            yield _error("enable-when-exists", item, "exists needs answerBoolean (que-7).")


def _expressions(item: Item) -> Iterator[Finding]:
    expressions = [c.expression for c in constraints_of(item.raw)]
    expressions.append(item.enable_expression)
    text = as_dict(item.raw.get("_text"))
    for extension in as_list(text.get("extension")):
        if as_dict(extension).get("url") == ext.CQF_EXPRESSION:
            value = as_dict(as_dict(extension).get("valueExpression"))
            expressions.append(as_str(value.get("expression")))
    for expression in filter(None, expressions):
        try:
            path.compile_expression(expression)
        except path.PathRefused as error:
            yield _error("bad-expression", item, str(error))
    for constraint in constraints_of(item.raw):
        if not constraint.human:
            yield _warning("no-human", item, f"Rule '{constraint.key}' has no words for people.")


def _shown(item: Item, shown_types: Collection[str] | None) -> Iterator[Finding]:
    if shown_types is None or item.hidden:
        return
    if item.is_question and item.type not in shown_types:
        yield _error("cannot-be-shown", item, f"Pages cannot show items of type '{item.type}'.")


def _error(code: str, item: Item, text: str) -> Finding:
    return Finding(code, "error", item.link_id, text)


def _warning(code: str, item: Item, text: str) -> Finding:
    return Finding(code, "warning", item.link_id, text)
