"""The part of a response that counts: what is enabled and answered, as it was written.

Which items are enabled is decided by questionnaire/enablement.py alone. What is disabled, empty, or
at a place where the Questionnaire has no such item never reaches a template.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list
from fhir_gateway.questionnaire.definition import Definition, Item
from fhir_gateway.questionnaire.enablement import Enablement
from fhir_gateway.questionnaire.response import Node, ResponseTree, value_of

MAX_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Instance:
    """An answered instance of an item: its definition, its element of the response, and those
    below it. `place` names it within the response: linkId and index from the top down;
    `under_answer`: which answer of the question above it stands under."""

    item: Item
    element: Element
    place: str
    under_answer: int = 0
    below: tuple[Instance, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Answered:
    """A response without what does not count, its instances, and linkIds that nobody knows."""

    response: Resource
    instances: tuple[Instance, ...]
    unknown: tuple[str, ...]


def answered(definition: Definition, response: Resource, now: datetime | None) -> Answered:
    """What of `response` is enabled and answered. `now`: the clock of enableWhenExpressions."""
    named = _with_link_ids(response)
    tree = ResponseTree(definition, named)
    raw = dict(_elements(named, "QuestionnaireResponse", 0))
    seen = {node.expression for node in tree.nodes() if node.present}
    kept = _kept(tree.roots, Enablement(tree, now=now), raw)
    result = {**response, "item": [instance.element for instance in kept]}
    unknown = (str(raw[place].get("linkId")) for place in raw.keys() - seen)
    return Answered(result, kept, tuple(sorted(set(unknown))))


def _kept(
    nodes: list[Node], enablement: Enablement, raw: dict[str, Element], above: str = ""
) -> tuple[Instance, ...]:
    found = (_instance(node, enablement, raw, above) for node in nodes if node.present)
    return tuple(instance for instance in found if instance)


def _instance(
    node: Node, enablement: Enablement, raw: dict[str, Element], above: str
) -> Instance | None:
    if not enablement.is_enabled(node):
        return None
    source = raw[node.expression]
    element = {key: value for key, value in source.items() if key not in ("item", "answer")}
    if node.item.text and not element.get("text"):
        element["text"] = node.item.text
    answer = f"{node.under_answer}:" if node.under_answer else ""
    place = f"{above}/{answer}{node.item.link_id}[{node.index}]".removeprefix("/")
    below = _kept(node.children, enablement, raw, place)
    if node.item.is_question:
        answers = _answers(node, below)
        if answers:
            element["answer"] = answers
    elif below:
        element["item"] = [instance.element for instance in below]
    if "answer" not in element and "item" not in element:
        return None
    return Instance(node.item, element, place, node.under_answer, below)


def _answers(node: Node, below: tuple[Instance, ...]) -> list[Element]:
    """The answers that have a value or something below them."""
    answers = []
    for index, answer in enumerate(node.answers):
        kept = {key: value for key, value in answer.items() if key != "item"}
        nested = [instance.element for instance in below if instance.under_answer == index]
        if nested:
            kept["item"] = nested
        if nested or value_of(kept)[0]:
            answers.append(kept)
    return answers


def _elements(holder: Any, place: str, depth: int) -> Iterator[tuple[str, Element]]:
    """Every item element of a response by its place, named as the response tree names places."""
    if depth > MAX_DEPTH:
        return
    for position, element in enumerate(map(as_dict, as_list(as_dict(holder).get("item")))):
        here = f"{place}.item[{position}]"
        yield here, element
        yield from _elements(element, here, depth + 1)
        answers = [a for a in as_list(element.get("answer")) if isinstance(a, dict)]
        for index, answer in enumerate(answers):
            yield from _elements(answer, f"{here}.answer[{index}]", depth + 1)


def _with_link_ids(element: Any, depth: int = 0) -> Any:
    """A copy in which an item without linkId has an empty one, as an item of the Questionnaire
    without linkId has; the same object when nothing is missing."""
    if depth > MAX_DEPTH or not isinstance(element, dict):
        return element
    changed = dict(element)
    for key in ("item", "answer"):
        parts = element.get(key)
        if isinstance(parts, list):
            changed[key] = [_with_link_ids(part, depth + 1) for part in parts]
            if key == "item":
                changed[key] = [_named(part) for part in changed[key]]
    return changed


def _named(item: Any) -> Any:
    if isinstance(item, dict) and not isinstance(item.get("linkId"), str):
        return {**item, "linkId": ""}
    return item
