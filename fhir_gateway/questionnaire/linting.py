"""What is wrong with a Questionnaire before anybody fills it in: codes, places and advice.

The gate for questionnaires that patients see: what would fail at run time, or could not be shown,
is found here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from fhir_gateway.fhir.registry import Registry
from fhir_gateway.fhir.types import Resource, as_dict
from fhir_gateway.questionnaire.advice import answerable, choices, conditions, expressions, shape
from fhir_gateway.questionnaire.advice.finding import Finding, error
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.item import Item

__all__ = ["CannotShow", "Finding", "lint"]

#: Says why pages cannot show an item to a patient; '' when they can.
CannotShow = Callable[[Item, Definition], str]


def lint(
    questionnaire: Resource | Definition,
    *,
    resources: Iterable[Resource] = (),
    shown_types: Collection[str] | None = None,
    cannot_show: CannotShow | None = None,
) -> list[Finding]:
    """Every finding, in document order.

    `questionnaire`: plain FHIR JSON, or a Definition. `resources`: value sets and code systems.
    `shown_types`: the item types that pages can show (None: do not ask). `cannot_show`: why
    pages cannot show an item (None: do not ask). Never raises on any JSON.
    """
    if isinstance(questionnaire, Definition):
        return _findings(questionnaire, shown_types, cannot_show)
    try:
        definition = Definition(as_dict(questionnaire), Registry(resources))
        return _findings(definition, shown_types, cannot_show)
    except RecursionError:
        return [Finding("too-large", "error", "", "The Questionnaire is nested too deeply.")]


def _findings(
    definition: Definition,
    shown_types: Collection[str] | None,
    cannot_show: CannotShow | None,
) -> list[Finding]:
    found = [*shape.root(definition), *expressions.root(definition)]
    seen: set[str] = set()
    for item in definition.all_items:
        found.extend(_link_id(item, seen))
        found.extend(shape.item(item))
        found.extend(choices.item(item, definition))
        found.extend(conditions.item(item, definition))
        found.extend(expressions.item(item, definition))
        found.extend(answerable.item(item))
        found.extend(_shown(item, shown_types))
        if cannot_show is not None and not item.hidden:
            why = cannot_show(item, definition)
            if why:
                found.append(error("cannot-be-shown", item, why))
    found.extend(expressions.circles(definition))
    return found


def _link_id(item: Item, seen: set[str]) -> Iterator[Finding]:
    if not item.link_id:
        yield error("no-link-id", item, "The item has no linkId.")
    elif item.link_id in seen:
        yield error("duplicate-link-id", item, "Another item has this linkId (que-2).")
    seen.add(item.link_id)


def _shown(item: Item, shown_types: Collection[str] | None) -> Iterator[Finding]:
    if shown_types is None or item.hidden:
        return
    if item.is_question and item.type not in shown_types:
        yield error("cannot-be-shown", item, f"Pages cannot show items of type '{item.type}'.")
