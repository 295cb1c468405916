"""Instances of repeating groups that a page shows before anything is answered in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.questionnaire.definition import Item
from fhir_gateway.questionnaire.response import Address, Node, ResponseTree, emit, with_items


def with_instances(
    tree: ResponseTree,
    counts: Mapping[Address, int],
    answers: Mapping[Address, list[Element]] | None = None,
) -> Resource:
    """The response with at least so many instances of each repeating group, empty ones included.

    `counts`: address of a group's first instance → how many. `answers`: what is answered at these
    addresses. Empty instances keep their place, so that addresses stay as they are.
    """
    fresh = ResponseTree(tree.definition, tree.response)
    if answers:
        for node in fresh.nodes():
            if node.address in answers:
                node.answers = answers[node.address]
    laid = _lay(tree.definition.items, fresh.roots, (), counts)
    return {**tree.response, "item": laid}


def without_instance(tree: ResponseTree, address: Address) -> Resource:
    """The response without one instance of a group; those after it move up."""
    return with_items(tree.response, emit(tree.roots, lambda node: node.address != address))


def _lay(
    items: Sequence[Item], nodes: Sequence[Node], address: Address, counts: Mapping[Address, int]
) -> list[Element]:
    result: list[Element] = []
    for item in items:
        same = [node for node in nodes if node.item is item]
        if item.type == "group":
            result.extend(_groups(item, same, address, counts))
        elif item.is_question:
            result.extend(_questions(same, counts))
    return result


def _groups(
    item: Item, same: Sequence[Node], address: Address, counts: Mapping[Address, int]
) -> list[Element]:
    wanted = len(same)
    if item.repeats:
        wanted = max(wanted, counts.get((*address, (item.link_id, 0)), 1))
    result: list[Element] = []
    for index in range(wanted):
        children = same[index].children if index < len(same) else []
        inner = _lay(item.children, children, (*address, (item.link_id, index)), counts)
        if inner or wanted > 1:
            result.append({"linkId": item.link_id, **({"item": inner} if inner else {})})
    return result


def _questions(same: Sequence[Node], counts: Mapping[Address, int]) -> list[Element]:
    result = emit(same, lambda _: True)
    if len(same) != 1 or not result or not same[0].children:
        return result
    node = same[0]
    for index, answer in enumerate(result[0].get("answer", [])):
        below = [child for child in node.children if child.under_answer == index]
        nested = _lay(node.item.children, below, node.address, counts)
        if nested:
            answer["item"] = nested
    return result
