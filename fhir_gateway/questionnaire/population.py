"""`$populate`: a first response, filled with what is known already.

https://hl7.org/fhir/uv/sdc/populate.html, expression-based: initialExpression, `initial`,
initialSelected, and itemPopulationContext for groups that repeat. What is known comes from the
caller as launch contexts, such as `{"patient": {…}, "service": {…}}`, and results of queries by the
name of their variable. Nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fhir_gateway.fhir import path
from fhir_gateway.fhir.registry import Registry
from fhir_gateway.fhir.types import Element, Resource, as_dict
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.calculation import calculated
from fhir_gateway.questionnaire.conversion import answers_from
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.expressions import Scope
from fhir_gateway.questionnaire.item import Item

#: Instances that one population context may make of a group.
MAX_INSTANCES = 100


def populate(
    questionnaire: Resource,
    context: Mapping[str, Any] | None = None,
    *,
    resources: Iterable[Resource] = (),
    now: datetime | None = None,
) -> Resource:
    """A QuestionnaireResponse in progress for plain FHIR JSON.

    `context`: resources by the name of their launch context or query. `resources`: value sets and
    code systems that options need. `now`: the clock of expressions (None: the system's).
    """
    return populated(Definition(as_dict(questionnaire), Registry(resources)), context, now=now)


def populated(
    definition: Definition,
    context: Mapping[str, Any] | None = None,
    *,
    now: datetime | None = None,
) -> Resource:
    """A response in progress with everything that can be filled in before anybody answers."""
    launch = dict(context or {})
    response: Resource = {"resourceType": "QuestionnaireResponse", "status": "in-progress"}
    if definition.canonical:
        response["questionnaire"] = definition.canonical
    subject = _subject(launch)
    if subject:
        response["subject"] = subject
    scope = Scope(definition, response, now=now, launch=launch)
    items = _Filling(definition, scope).items(definition.items, {})
    if items:
        response = {**response, "item": items}
    return calculated(definition, response, now=now, launch=launch)


def _subject(launch: Mapping[str, Any]) -> Element | None:
    for resource in launch.values():
        patient = as_dict(resource)
        if patient.get("resourceType") == "Patient" and patient.get("id"):
            return {"reference": f"Patient/{patient['id']}"}
    return None


class _Filling:
    """Builds the items of the first response, top down."""

    def __init__(self, definition: Definition, scope: Scope) -> None:
        self._definition = definition
        self._scope = scope

    def items(self, items: list[Item], known: Mapping[str, Any]) -> list[Element]:
        """The response items of these that hold something. `known`: variables from above."""
        found: list[Element] = []
        for item in items:
            for seen in self._instances(item, known):
                element = self._element(item, seen)
                if "answer" in element or "item" in element:
                    found.append(element)
        return found

    def _instances(self, item: Item, known: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """What each instance of the item sees: one, or one for each result of its population
        context where it repeats."""
        context = item.expression(ext.ITEM_POPULATION_CONTEXT)
        seen = dict(known)
        for variable in item.variables:
            if variable.is_path:
                seen[variable.name] = self._results(variable.text, seen)
        if context is None or not context.is_path or not context.name:
            return [seen]
        results = self._results(context.text, seen)
        if not item.repeats:
            return [{**seen, context.name: results}]
        return [{**seen, context.name: [result]} for result in results[:MAX_INSTANCES]]

    def _element(self, item: Item, known: Mapping[str, Any]) -> Element:
        element: Element = {"linkId": item.link_id}
        if item.text:
            element["text"] = item.text
        nested = self.items(item.children, known)
        if not item.is_question:
            return {**element, "item": nested} if nested else element
        answers = self._answers(item, known)
        if answers:
            if nested:
                answers[0] = {**answers[0], "item": nested}
            element["answer"] = answers
        return element

    def _answers(self, item: Item, known: Mapping[str, Any]) -> list[Element]:
        expression = item.initial_expression
        if expression is not None and expression.is_path:
            answers = answers_from(self._definition, item, self._results(expression.text, known))
            if answers:
                return answers
        initial: list[Element] = [{f"value{kind}": value} for kind, value in item.initial_values]
        return initial if item.repeats else initial[:1]

    def _results(self, expression: str, known: Mapping[str, Any]) -> list[Any]:
        try:
            return self._scope.evaluate(expression, **known)
        except path.PathRefused:
            return []
