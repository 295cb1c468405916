"""What an author's FHIRPath can see, and its evaluation at a place of the response.

https://hl7.org/fhir/uv/sdc/expressions.html. An expression on an item starts from that item of the
response, one on the root from the response. It sees `%resource`, `%questionnaire`, `%context`,
`%qitem`, the launch contexts that the caller gives, and the variables of the root, of the items
above it and of its own. Variables are evaluated when an expression mentions them, once each; one
that fails, goes in circles, or is a query that nobody ran, is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fhir_gateway.fhir import path
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str, extensions
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.item import Item
from fhir_gateway.questionnaire.logic import Expression, expression_of
from fhir_gateway.questionnaire.options import value_in

if TYPE_CHECKING:
    from fhir_gateway.questionnaire.response import Node

_ITEM = "QuestionnaireResponse.item"


class Scope:
    """Evaluates expressions for one state of a response.

    `response`: the response without disabled answers; `elements`: the item of it that belongs to
    an instance. `now`: the clock (None: the system's). `launch`: launch contexts and query
    results by name, such as `patient`.
    """

    def __init__(
        self,
        definition: Definition,
        response: Resource,
        *,
        now: datetime | None = None,
        launch: Mapping[str, Any] | None = None,
        elements: Mapping[Node, Element] | None = None,
        budget: path.Budget | None = None,
    ) -> None:
        self.response = response
        self.now = now
        self._elements = elements or {}
        self._budget = budget or path.Budget()
        self._memo: dict[Any, Any] = {}
        self._given: dict[str, Any] = {
            **{name: [] for name in launch_names(definition.raw)},
            "resource": response,
            "questionnaire": definition.raw,
            **(launch or {}),
        }
        self._root = variables_of(definition.raw)
        self._values: dict[tuple[Node | None, str], Any] = {}

    def evaluate(
        self, expression: str, context: Any = None, *, at: Node | None = None, **more: Any
    ) -> list[Any]:
        """Typed results of `expression` at an instance (None: the response), or on `context`.

        `more`: further variables. Raises path.PathRefused.
        """
        target = context
        if target is None:
            target = self.response if at is None else self._focus(expression, at)
        variables = {
            name: self._variable(name, at)
            for name in path.variables_in(expression)
            if name not in more
        }
        known = {name: value for name, value in variables.items() if value is not None}
        return path.evaluate(
            expression,
            target,
            {**known, **more},
            now=self.now,
            budget=self._budget,
            memo=self._memo,
        )

    def is_true(self, expression: str, *, at: Node | None = None) -> bool:
        """Whether the expression gives one result and it is true. Raises path.PathRefused."""
        return path.is_true(self.evaluate(expression, at=at))

    def knows(self, expression: str, at: Node) -> bool:
        """Whether everything that the expression mentions is at hand: no launch context or query
        is missing, nor anything that its variables mention."""
        return self._knows(expression, at, ())

    def element(self, node: Node) -> Element:
        """The item of the response that belongs to an instance, or one without content."""
        return self._elements.get(node) or {"linkId": node.item.link_id}

    def _focus(self, expression: str, at: Node) -> Any:
        """Where an expression on an item starts: at its item of the response.

        Many authors write for engines that start from the response; that is what is meant where
        the expression names it, or asks for items below a question that has none.
        """
        first = expression.lstrip("( ")
        if first.startswith("QuestionnaireResponse") or (
            first.startswith("item.") and not at.item.children
        ):
            return self.response
        return path.node_of(self.element(at), _ITEM)

    def _variable(self, name: str, at: Node | None) -> Any:
        """The value of a variable as seen from an instance; None when there is none."""
        if name in ("context", "qitem") and at is not None:
            return path.node_of(self.element(at), _ITEM) if name == "context" else at.item.raw
        if name == "context":
            return self.response
        holder, expression = self._declared(name, at)
        if expression is None:
            return self._given.get(name)
        if name in self._given and not expression.is_path:
            return self._given[name]
        if (holder, name) not in self._values:
            self._values[holder, name] = []
            self._values[holder, name] = self._value(expression, holder)
        return self._values[holder, name]

    def _declared(self, name: str, at: Node | None) -> tuple[Node | None, Expression | None]:
        """The nearest declaration of a variable: on the item, above it, or on the root."""
        here = at
        while here is not None:
            for expression in here.item.variables:
                if expression.name == name:
                    return here, expression
            here = here.parent
        return None, self._root.get(name)

    def _value(self, expression: Expression, holder: Node | None) -> list[Any]:
        if not expression.is_path:
            return []
        try:
            return self.evaluate(expression.text, at=holder)
        except path.PathRefused:
            return []

    def _knows(self, expression: str, at: Node | None, trail: tuple[str, ...]) -> bool:
        for name in path.variables_in(expression):
            if name in trail:
                return False
            holder, declared = self._declared(name, at)
            if declared is None:
                if not self._given.get(name) and name not in ("context", "qitem", "ucum"):
                    return False
            elif not declared.is_path:
                if not self._given.get(name):
                    return False
            elif not self._knows(declared.text, holder, (*trail, name)):
                return False
        return True


def variables_of(questionnaire: Resource) -> dict[str, Expression]:
    """The variables of the root by name; of two with one name the first counts."""
    found: dict[str, Expression] = {}
    for extension in extensions(questionnaire, ext.VARIABLE):
        expression = expression_of(value_in(extension))
        if expression.name:
            found.setdefault(expression.name, expression)
    return found


def launch_names(questionnaire: Resource) -> list[str]:
    """The names of the launch contexts that a Questionnaire asks for."""
    names = []
    for extension in extensions(questionnaire, ext.LAUNCH_CONTEXT):
        for part in map(as_dict, as_list(extension.get("extension"))):
            if part.get("url") == "name":
                value = value_in(part)
                names.append(as_str(value) or as_str(as_dict(value).get("code")))
    return [name for name in names if name]


def item_names(item: Item) -> list[str]:
    """The variables that can be used on an item: its own and those of the items above it."""
    holders = [item, *item.ancestors()]
    return [v.name for holder in holders for v in holder.variables if v.name]
