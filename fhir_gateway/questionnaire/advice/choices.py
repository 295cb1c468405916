"""What can be chosen: options, value sets and units."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_gateway.fhir.terminology import NotExpandable
from fhir_gateway.questionnaire.advice.finding import Finding, error, warning
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.item import CHOICE_TYPES, Item
from fhir_gateway.questionnaire.rules.options import is_option

_WITH_OPTIONS = frozenset("integer date time string text decimal".split())


def item(item: Item, definition: Definition) -> Iterator[Finding]:
    """Findings about the options and units of one item."""
    if item.type in CHOICE_TYPES:
        yield from _options(item, definition)
    elif (item.value_set or item.options) and item.type not in _WITH_OPTIONS:
        yield warning("options-type", item, f"A {item.type} has no options (que-5).")
    if item.unit_value_set:
        try:
            definition.codings(item.unit_value_set)
        except NotExpandable as problem:
            yield error("value-set", item, f"{problem}.")


def _options(item: Item, definition: Definition) -> Iterator[Finding]:
    if item.value_set and item.options:
        text = "answerOption and answerValueSet exclude each other (que-4)."
        yield error("two-lists", item, text)
    if not item.value_set:
        if not item.options and item.answer_expression is None:
            yield from _no_options(item)
        yield from _initial(item, definition)
        return
    try:
        if not definition.value_set(item):
            yield error("no-options", item, "The value set is empty.")
        yield from _initial(item, definition)
    except NotExpandable as problem:
        yield error("value-set", item, f"{problem}.")


def _no_options(item: Item) -> Iterator[Finding]:
    if item.type == "open-choice":
        yield warning("no-options", item, "An open-choice without options is a text field.")
    else:
        yield error("no-options", item, "A choice needs answerOption or answerValueSet.")


def _initial(item: Item, definition: Definition) -> Iterator[Finding]:
    options = definition.options(item)
    for kind, value in item.initial_values:
        if options and not is_option(kind, value, options) and item.type == "choice":
            yield error("initial-no-option", item, "An initial value is not one of the options.")
