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
from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.expressions import Scope
from fhir_gateway.questionnaire.logic import Condition
from fhir_gateway.questionnaire.response import Node, ResponseTree, emit, value_of
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
        self._by_link_id: dict[str, list[Node]] = {}
        for node in tree.nodes():
            self._by_link_id.setdefault(node.item.link_id, []).append(node)
        self._expressed: dict[Node, bool] = {}
        self._known: dict[Node, bool] = {}
        self._settle_expressions()

    def is_enabled(self, node: Node) -> bool:
        """Whether this instance is enabled. Circular conditions count as not enabled."""
        if node not in self._known:
            self._known[node] = False
            self._known[node] = self._decide(node)
        return self._known[node]

    def enabled(self) -> Iterable[Node]:
        """The enabled instances in document order."""
        return (node for node in self.tree.nodes() if self.is_enabled(node))

    def response(self) -> Resource:
        """The response with nothing in it that is disabled, in Questionnaire order."""
        return {**self.tree.response, "item": emit(self.tree.roots, self.is_enabled)}

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
            {**self.tree.response, "item": items},
            now=self._now,
            launch=self._launch,
            elements=elements,
            budget=self._budget,
        )

    def _decide(self, node: Node) -> bool:
        if node.parent is not None and not self.is_enabled(node.parent):
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
            if self.is_enabled(source)
            for answer in source.answers
            if value_of(answer)[0]
        ]
        return condition_met(condition, answers)

    def _sources(self, link_id: str, node: Node) -> list[Node]:
        """The instances of `link_id` under the nearest ancestor that has any."""
        candidates = self._by_link_id.get(link_id, [])
        here: Node | None = node
        while here is not None:
            near = [c for c in candidates if c is here or _is_under(c, here)]
            if near:
                return near
            here = here.parent
        return candidates

    def _settle_expressions(self) -> None:
        """Evaluate enableWhenExpressions on the response without disabled answers.

        What is disabled depends on the expressions, so this goes round until nothing changes.
        """
        expressed = [node for node in self.tree.nodes() if node.item.enable_expression]
        if not expressed:
            return
        for _ in range(_MAX_ROUNDS):
            scope = self._fresh_scope()
            before = dict(self._expressed)
            for node in expressed:
                self._expressed[node] = _holds(node, scope)
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
    """The linkIds of the enabled items in document order, each once. Plain FHIR JSON in."""
    enablement = Enablement(ResponseTree(Definition(questionnaire), response))
    return list(dict.fromkeys(node.item.link_id for node in enablement.enabled()))


def _is_under(node: Node, ancestor: Node) -> bool:
    parent = node.parent
    while parent is not None:
        if parent is ancestor:
            return True
        parent = parent.parent
    return False


def _holds(node: Node, scope: Scope) -> bool:
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
