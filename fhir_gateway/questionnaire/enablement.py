"""Which items are enabled: the one function that pages, resuming, submitting, validation and
mapping all ask, so that they can never disagree.

Rules (https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen, with
the clearer wording of R5 for several answers):

- a disabled item disables all below it;
- a condition reads the source as unanswered while the source is disabled;
- in repeating groups a condition reads the instances under the nearest common ancestor;
- `!=` holds when there is an answer and none is equal; the other operators when any answer fits;
- no answer: only `exists = false` holds;
- two dates of which one could be before or after the other: the condition holds (R4: enabled).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fhir_gateway.fhir import path
from fhir_gateway.fhir.types import Element, Resource, as_dict
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.expressions import Scope
from fhir_gateway.questionnaire.logic import Condition
from fhir_gateway.questionnaire.response import (
    Node,
    ResponseTree,
    emit,
    value_of,
    with_items,
)
from fhir_gateway.questionnaire.values import is_date, is_date_time, order, same

_MAX_ROUNDS = 10
_ORDERINGS = {">": (1,), "<": (-1,), ">=": (0, 1), "<=": (-1, 0)}


class Enablement:
    """The enabled instances of a response tree.

    `now`: the clock of expressions (None: the system's). `launch`: launch contexts by name.
    """

    def __init__(
        self,
        tree: ResponseTree,
        *,
        now: datetime | None = None,
        launch: Mapping[str, Any] | None = None,
    ) -> None:
        self.tree = tree
        self._now = now
        self._launch = launch
        self._budget = path.Budget()
        self._scope: Scope | None = None
        self._below = _index(tree)
        self._expressed: dict[Node, bool] = {}
        self._known: dict[Node, bool] = {}
        self._settle_expressions()

    def is_enabled(self, node: Node) -> bool:
        """Whether this instance is enabled. Circular conditions count as not enabled."""
        known = self._known.get(node)
        return self._decide(node) if known is None else known

    def _decide(self, node: Node) -> bool:
        """Decide what the instance depends on first, without recursion: chains can be long."""
        open_nodes: dict[Node, None] = {}
        stack = [node]
        while stack:
            top = stack[-1]
            if top in self._known:
                stack.pop()
                continue
            waiting = [
                source
                for source in self._needed(top)
                if source not in self._known and source not in open_nodes
            ]
            open_nodes[top] = None
            if waiting:
                stack.extend(waiting)
                continue
            self._known[top] = self._holds(top)
            stack.pop()
        return self._known[node]

    def _needed(self, node: Node) -> Iterable[Node]:
        if node.parent is not None:
            yield node.parent
        for condition in node.item.conditions:
            yield from self._sources(condition.question, node)

    def enabled(self) -> Iterable[Node]:
        """The enabled instances in document order."""
        return (node for node in self.tree.nodes() if self.is_enabled(node))

    def response(self) -> Resource:
        """The response with nothing in it that is disabled, in Questionnaire order."""
        return with_items(self.tree.response, emit(self.tree.roots, self.is_enabled))

    def scope(self) -> Scope:
        """What expressions see in this state."""
        if self._scope is None:
            self._scope = self._fresh_scope()
        return self._scope

    def _fresh_scope(self) -> Scope:
        elements: dict[Node, Element] = {}
        items = emit(self.tree.roots, self.is_enabled, elements)
        return Scope(
            self.tree.definition,
            with_items(self.tree.response, items),
            now=self._now,
            launch=self._launch,
            elements=elements,
            budget=self._budget,
        )

    def _holds(self, node: Node) -> bool:
        if node.parent is not None and not self._known.get(node.parent, False):
            return False
        if not self._expressed.get(node, True):
            return False
        conditions = node.item.conditions
        if not conditions:
            return True
        met = (self._met(condition, node) for condition in conditions)
        return any(met) if node.item.any_condition_enables else all(met)

    def _met(self, condition: Condition, node: Node) -> bool:
        answers = [
            answer
            for source in self._sources(condition.question, node)
            if self._known.get(source, False)
            for answer in source.answers
            if value_of(answer)[0]
        ]
        return condition_met(condition, answers)

    def _sources(self, link_id: str, node: Node) -> list[Node]:
        """The instances of `link_id` under the nearest ancestor that has any."""
        here: Node | None = node
        while here is not None:
            near = self._below.get((here, link_id))
            if near:
                return near
            here = here.parent
        return self._below.get((None, link_id), [])

    def _settle_expressions(self) -> None:
        """Evaluate enableWhenExpressions on the response without disabled answers.

        What is disabled depends on the expressions, so this goes round until nothing changes.
        """
        if not self.tree.definition.has_enable_expressions:
            return
        expressed = [node for node in self.tree.nodes() if node.item.enable_expression]
        for _ in range(_MAX_ROUNDS):
            scope = self._fresh_scope()
            before = dict(self._expressed)
            for node in expressed:
                self._expressed[node] = _expression_holds(node, scope)
            self._known.clear()
            if self._expressed == before:
                return


def condition_met(condition: Condition, answers: list[Element]) -> bool:
    """Whether a condition holds for the answers of its source (those that count)."""
    if condition.operator == "exists":
        return bool(answers) is (condition.expected is not False)
    if not answers:
        return False
    if condition.operator == "=":
        return any(_equal(condition, answer) for answer in answers)
    if condition.operator == "!=":
        return not any(_equal(condition, answer) for answer in answers)
    wanted = _ORDERINGS.get(condition.operator, ())
    return any(_in_order(condition, answer, wanted) for answer in answers)


def enabled_items(questionnaire: Resource, response: Resource) -> list[str]:
    """The linkIds of the enabled items in document order, each once.

    Plain FHIR JSON in; what is not a resource reads as an empty one. Never raises on any JSON.
    """
    try:
        tree = ResponseTree(Definition(as_dict(questionnaire)), as_dict(response))
        found = [node.item.link_id for node in Enablement(tree).enabled()]
    except RecursionError:
        return []
    return list(dict.fromkeys(link_id for link_id in found if link_id))


def _index(tree: ResponseTree) -> dict[tuple[Node | None, str], list[Node]]:
    """The instances of each item that a condition asks, by every instance that they are within
    or are, and by None for the whole response."""
    asked = {c.question for item in tree.definition.conditional for c in item.conditions}
    found: dict[tuple[Node | None, str], list[Node]] = {}
    if not asked:
        return found
    for node in tree.nodes():
        link_id = node.item.link_id
        if link_id in asked:
            holder: Node | None = node
            while holder is not None:
                found.setdefault((holder, link_id), []).append(node)
                holder = holder.parent
            found.setdefault((None, link_id), []).append(node)
    return found


def _expression_holds(node: Node, scope: Scope) -> bool:
    try:
        return scope.is_true(node.item.enable_expression, at=node)
    except path.PathRefused:
        # Lint reports it; a broken expression must not hide a question.
        return True


def _equal(condition: Condition, answer: Element) -> bool:
    value_type, value = value_of(answer)
    return same(value_type, value, condition.expected_type, condition.expected)


def _in_order(condition: Condition, answer: Element, wanted: tuple[int, ...]) -> bool:
    value_type, value = value_of(answer)
    if not _comparable(value_type, condition.expected_type):
        return False
    found = order(value_type, value, condition.expected)
    if found is None:
        # R4: indeterminate because of precision → enabled; different units are no precision.
        return value_type in ("Date", "DateTime") and _is_moment(value, condition.expected)
    return found in wanted


def _comparable(value_type: str, expected_type: str) -> bool:
    numbers, moments = {"Integer", "Decimal"}, {"Date", "DateTime"}
    pair = {value_type, expected_type}
    return value_type == expected_type or pair <= numbers or pair <= moments


def _is_moment(*values: Any) -> bool:
    return all(is_date(value) or is_date_time(value) for value in values)
