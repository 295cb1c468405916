"""A response in the words of the published Questionnaire, whatever language it was answered in."""

from __future__ import annotations

from datetime import datetime

from fhir_gateway.fhir.terminology import NotExpandable
from fhir_gateway.fhir.types import Element, Resource, as_dict
from fhir_gateway.questionnaire.completion import completed
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.options import value_of
from fhir_gateway.questionnaire.response import Node, ResponseTree, emit, with_items
from fhir_gateway.questionnaire.values import same


def completed_in_published_words(
    definition: Definition, draft: Resource, *, now: datetime
) -> Resource:
    """The draft as a completed response with the texts and displays of `definition`: staff read
    what the author published, and equal answers are equal resources."""
    tree = ResponseTree(definition, draft)
    for node in tree.nodes():
        node.answers = [_published(node, answer, definition) for answer in node.answers]
    response = with_items(draft, emit(tree.roots, lambda _: True))
    return completed(definition, response, now=now)


def _published(node: Node, answer: Element, definition: Definition) -> Element:
    kind, value = value_of(answer)
    if kind != "Coding":
        return answer
    try:
        options = definition.options(node.item)
    except NotExpandable:
        return answer
    for option in options:
        if option.type == "Coding" and same(kind, value, "Coding", option.value):
            display = as_dict(option.value).get("display")
            return {**answer, "valueCoding": {**value, "display": display}} if display else answer
    return answer
