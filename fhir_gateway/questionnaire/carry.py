"""Answers onto another version of a Questionnaire: what still fits is kept, the rest is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.enablement import Enablement
from fhir_gateway.questionnaire.item import Item
from fhir_gateway.questionnaire.response import ResponseTree, emit, value_of, with_items
from fhir_gateway.questionnaire.rules import values
from fhir_gateway.questionnaire.rules.context import Checking

_MAX_DEPTH = 60


@dataclass(frozen=True, slots=True)
class Carried:
    """The response to the other version; the questions that lost answers: linkId → text."""

    response: Resource
    dropped: dict[str, str]


def carry_over(response: Resource, old: Definition, new: Definition) -> Carried:
    """Lay a draft over another version.

    An answer is kept when the question is there (in the same place, or in another group), takes
    this type of answer, and the answer is valid; answers within repeating groups keep their group.
    """
    before = {link_id for link_id, _ in _answers(response, 0)}
    laid = _lay(new.items, response, _loose(response, new), new, 0)
    tree = ResponseTree(new, {**response, "questionnaire": new.canonical, "item": laid})
    lost: set[str] = set()
    checking = Checking(new, Enablement(tree), final=False)
    for node in tree.nodes():
        found = values.check(node, checking)
        bad = {issue.expression for issue in found if issue.severity == "error"}
        if bad:
            lost.add(node.item.link_id)
            node.answers = [
                answer
                for index, answer in enumerate(node.answers)
                if f"{node.expression}.answer[{index}]" not in bad
            ]
        if len(node.answers) > 1 and not node.item.repeats:
            lost.add(node.item.link_id)
            node.answers = node.answers[:1]
    kept = with_items(tree.response, emit(tree.roots, lambda _: True))
    after = {link_id for link_id, _ in _answers(kept, 0)}
    gone = [
        link_id
        for link_id in dict.fromkeys(link for link, _ in _answers(response, 0))
        if link_id in lost or (link_id in before and link_id not in after)
    ]
    return Carried(kept, {link_id: _name(link_id, old, new) for link_id in gone})


def _lay(
    items: list[Item],
    holder: Element,
    loose: dict[str, list[Element]],
    new: Definition,
    depth: int,
) -> list[Element]:
    """Response items for `items`: those in the same place, else those that stood elsewhere."""
    here: dict[str, list[Element]] = {}
    for element in map(as_dict, as_list(holder.get("item"))):
        here.setdefault(as_str(element.get("linkId")), []).append(element)
    laid: list[Element] = []
    for item in items:
        found = here.get(item.link_id) or loose.pop(item.link_id, [])
        if not found and item.type == "group" and item.children:
            found = [{}]
        for element in found if item.repeats or item.type != "group" else found[:1]:
            laid.extend(_element(item, element, loose, new, depth))
    return laid


def _element(
    item: Item, element: Element, loose: dict[str, list[Element]], new: Definition, depth: int
) -> Iterator[Element]:
    if depth > _MAX_DEPTH:
        return
    if not item.is_question:
        inner = _lay(item.children, element, loose, new, depth + 1)
        if inner:
            yield {"linkId": item.link_id, "item": inner}
        return
    answers = []
    for answer in map(as_dict, as_list(element.get("answer"))):
        if not value_of(answer)[0]:
            continue
        nested = _lay(item.children, answer, loose, new, depth + 1)
        kept = {key: value for key, value in answer.items() if key != "item"}
        answers.append({**kept, "item": nested} if nested else kept)
    if answers:
        yield {"linkId": item.link_id, "answer": answers}


def _loose(response: Resource, new: Definition) -> dict[str, list[Element]]:
    """Answered questions whose place in the new version is another."""
    found: dict[str, list[Element]] = {}
    _collect(response, (), new, found, 0)
    return found


def _collect(
    holder: Element,
    place: tuple[str, ...],
    new: Definition,
    found: dict[str, list[Element]],
    depth: int,
) -> None:
    if depth > _MAX_DEPTH:
        return
    for element in map(as_dict, as_list(holder.get("item"))):
        link_id = as_str(element.get("linkId"))
        item = new.by_link_id.get(link_id)
        if item is not None and item.is_question and _place(item) != place:
            found.setdefault(link_id, []).append(element)
        _collect(element, (*place, link_id), new, found, depth + 1)
        for answer in map(as_dict, as_list(element.get("answer"))):
            _collect(answer, (*place, link_id), new, found, depth + 1)


def _place(item: Item) -> tuple[str, ...]:
    return tuple(ancestor.link_id for ancestor in item.ancestors())[::-1]


def _answers(holder: Element, depth: int) -> Iterator[tuple[str, Element]]:
    """(linkId, answer) of every answer in a response."""
    if depth > _MAX_DEPTH:
        return
    for element in map(as_dict, as_list(holder.get("item"))):
        for answer in map(as_dict, as_list(element.get("answer"))):
            if value_of(answer)[0]:
                yield as_str(element.get("linkId")), answer
            yield from _answers(answer, depth + 1)
        yield from _answers(element, depth + 1)


def _name(link_id: str, old: Definition, new: Definition) -> str:
    item = old.by_link_id.get(link_id) or new.by_link_id.get(link_id)
    return item.short_text if item and item.short_text else link_id
