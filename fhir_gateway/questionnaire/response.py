"""A QuestionnaireResponse laid over its Questionnaire: a tree of item instances.

Every item of the definition appears at least once, answered or not, so that enablement, pages,
validation and completion all walk the same tree. Items that the definition does not know are not
in the tree; validation reports them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list
from fhir_gateway.questionnaire.definition import Definition, Item
from fhir_gateway.questionnaire.options import value_of

__all__ = ["Address", "Node", "ResponseTree", "emit", "value_of", "with_answers"]

#: Where an instance is: (linkId, index among its siblings of that linkId) from the top down.
Address = tuple[tuple[str, int], ...]

MAX_NODES = 20_000
MAX_INSTANCES = 500


@dataclass(eq=False, slots=True)
class Node:
    """One instance of an item. `answers` are the raw answer elements of the response."""

    item: Item
    parent: Node | None
    index: int
    answers: list[Element]
    present: bool
    expression: str
    children: list[Node] = field(default_factory=list)
    #: Which answer of the parent question this nested item stands under; 0 for others.
    under_answer: int = 0

    @property
    def address(self) -> Address:
        """Its place; stable while siblings before it stay."""
        here = ((self.item.link_id, self.index),)
        return self.parent.address + here if self.parent else here

    @property
    def values(self) -> list[Any]:
        """The value[x] of each answer that has one."""
        return [value_of(answer)[1] for answer in self.answers if value_of(answer)[0]]

    def walk(self) -> Iterator[Node]:
        """Itself and all below it, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()


class ResponseTree:
    """The instances of a response to a definition, in document order."""

    def __init__(self, definition: Definition, response: Resource) -> None:
        self.definition = definition
        self.response = response
        self._count = 0
        #: Whether the response has more instances than are read.
        self.truncated = False
        self.roots = self._read(definition.items, response, None, "QuestionnaireResponse", 0)

    def nodes(self) -> Iterator[Node]:
        """Every instance in document order."""
        for root in self.roots:
            yield from root.walk()

    def find(self, address: Address) -> Node | None:
        """The instance at an address, or None."""
        return next((node for node in self.nodes() if node.address == address), None)

    def first(self, link_id: str) -> Node | None:
        """The first instance of an item, or None."""
        return next((node for node in self.nodes() if node.item.link_id == link_id), None)

    def _read(
        self,
        items: list[Item],
        holder: Mapping[str, Any],
        parent: Node | None,
        path: str,
        under_answer: int,
        before: dict[str, int] | None = None,
    ) -> list[Node]:
        """Lay `items` over the response items that `holder` (response, item or answer) has.

        `before`: how many instances of each linkId earlier answers of the same question hold, so
        that no two instances have one address.
        """
        before = {} if before is None else before
        found: dict[str, list[tuple[int, Element]]] = {}
        for position, element in enumerate(map(as_dict, as_list(holder.get("item")))):
            found.setdefault(str(element.get("linkId")), []).append((position, element))
        nodes: list[Node] = []
        for item in items:
            instances = found.get(item.link_id, [])
            if len(instances) > MAX_INSTANCES:
                self.truncated = True
                instances = instances[:MAX_INSTANCES]
            instances = instances or [(-1, {})]
            start = before.get(item.link_id, 0)
            before[item.link_id] = start + len(instances)
            for index, (position, element) in enumerate(instances, start):
                if self._count >= MAX_NODES:
                    self.truncated = True
                    return nodes
                self._count += 1
                place = f"{path}.item[{position}]" if position >= 0 else path
                node = Node(
                    item=item,
                    parent=parent,
                    index=index,
                    answers=[a for a in as_list(element.get("answer")) if isinstance(a, dict)],
                    present=position >= 0,
                    expression=place,
                    under_answer=under_answer,
                )
                node.children = self._read_children(node, element)
                nodes.append(node)
        return nodes

    def _read_children(self, node: Node, element: Element) -> list[Node]:
        if not node.item.children:
            return []
        if not node.item.is_question:
            return self._read(node.item.children, element, node, node.expression, 0)
        children: list[Node] = []
        before: dict[str, int] = {}
        # R4: items nested under a question stand within its answers.
        for index, answer in enumerate(node.answers or [{}]):
            place = f"{node.expression}.answer[{index}]" if node.answers else node.expression
            children.extend(self._read(node.item.children, answer, node, place, index, before))
        return children


def emit(
    nodes: Iterable[Node],
    keep: Callable[[Node], bool],
    elements: dict[Node, Element] | None = None,
) -> list[Element]:
    """Response items of the instances that hold something and that `keep` keeps, in
    Questionnaire order; also noted in `elements`.

    Display items and items without content are never emitted.
    """
    result: list[Element] = []
    for node in nodes:
        if node.item.type == "display" or not keep(node):
            continue
        element = _element(node, keep, elements)
        if "answer" in element or "item" in element:
            result.append(element)
            if elements is not None:
                elements[node] = element
    return result


def with_items(response: Resource, items: list[Element]) -> Resource:
    """The response with these items instead of its own; a list is never empty in FHIR JSON."""
    rest = {key: value for key, value in response.items() if key != "item"}
    return {**rest, "item": items} if items else rest


def with_answers(tree: ResponseTree, changes: Mapping[Address, list[Element]]) -> Resource:
    """The response with the answers at these addresses replaced; nothing else is lost.

    Nested items of a replaced answer stay under the answer of the same position. Addresses that
    are not in the tree are passed over.
    """
    fresh = ResponseTree(tree.definition, tree.response)
    for node in fresh.nodes():
        if node.address in changes:
            node.answers = changes[node.address]
    return with_items(tree.response, emit(fresh.roots, lambda _: True))


def _element(
    node: Node, keep: Callable[[Node], bool], elements: dict[Node, Element] | None
) -> Element:
    element: Element = {"linkId": node.item.link_id}
    if node.item.text:
        element["text"] = node.item.text
    if node.item.is_question:
        answers = [
            _answer(node, answer, index, keep, elements)
            for index, answer in enumerate(node.answers)
        ]
        if any(answers):
            element["answer"] = [answer for answer in answers if answer]
    else:
        nested = emit(node.children, keep, elements)
        if nested:
            element["item"] = nested
    return element


def _answer(
    node: Node,
    answer: Element,
    index: int,
    keep: Callable[[Node], bool],
    elements: dict[Node, Element] | None,
) -> Element:
    kept = {key: value for key, value in answer.items() if key != "item"}
    if not value_of(kept)[0]:
        return {}
    if not node.children:
        return kept
    nested = emit((c for c in node.children if c.under_answer == index), keep, elements)
    return {**kept, "item": nested} if nested else kept
