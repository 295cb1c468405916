"""Is the response shaped like its Questionnaire: known items, in their place and order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_gateway.fhir.types import Element, as_str, extensions
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.definition import Definition, Item
from fhir_gateway.questionnaire.issues import Code, Issue
from fhir_gateway.questionnaire.translation import translations

MAX_DEPTH = 60
MAX_ISSUES = 500


def check(definition: Definition, response: Element) -> Iterator[Issue]:
    """Issues of shape, in document order. Reads the raw JSON, because what is out of place is not
    in the response tree."""
    yield from _items(definition, response, definition.items, "QuestionnaireResponse", 1)


def _items(
    definition: Definition, holder: Element, expected: list[Item], path: str, depth: int
) -> Iterator[Issue]:
    raw = holder.get("item")
    if raw is None:
        return
    if not isinstance(raw, list):
        yield Issue(Code.NOT_A_RESPONSE, "error", "item is not a list", f"{path}.item")
        return
    if not raw:
        yield Issue(Code.EMPTY, "error", "a list is never empty in FHIR JSON", f"{path}.item")
        return
    if depth > MAX_DEPTH:
        yield Issue(Code.TOO_LARGE, "error", f"nested deeper than {MAX_DEPTH} items", path)
        return
    here = {item.link_id: position for position, item in enumerate(expected)}
    last = -1
    for index, element in enumerate(raw):
        place = f"{path}.item[{index}]"
        if not isinstance(element, dict):
            yield Issue(Code.NOT_A_RESPONSE, "error", "item is not an object", place)
            continue
        link_id = as_str(element.get("linkId"))
        item = definition.by_link_id.get(link_id)
        if item is None:
            yield _unknown(link_id, place)
            continue
        if link_id not in here:
            yield Issue(Code.WRONG_PLACE, "error", "the item does not belong here", place, link_id)
        else:
            position = here[link_id]
            if position < last:
                yield Issue(
                    Code.OUT_OF_ORDER,
                    "error",
                    "the item comes after one that the Questionnaire has behind it",
                    place,
                    link_id,
                )
            last = max(last, position)
        yield from _item(definition, element, item, place, depth)


def _unknown(link_id: str, place: str) -> Issue:
    if not link_id:
        return Issue(Code.NO_LINK_ID, "error", "the item has no linkId", place)
    return Issue(
        Code.UNKNOWN_LINK_ID, "error", "the Questionnaire has no such item", place, link_id
    )


def _item(
    definition: Definition, element: Element, item: Item, place: str, depth: int
) -> Iterator[Issue]:
    yield from _text(element, item, place)
    answers = element.get("answer")
    if answers is not None and not isinstance(answers, list):
        yield Issue(Code.NOT_A_RESPONSE, "error", "answer is not a list", f"{place}.answer")
        answers = []
    elif answers == []:
        text = "a list is never empty in FHIR JSON"
        yield _issue(Code.EMPTY, text, item, f"{place}.answer")
    if item.type == "display":
        if answers:
            yield _issue(Code.DISPLAY_HAS_ANSWER, "a display item holds no answers", item, place)
        if element.get("item"):
            yield _issue(Code.DISPLAY_HAS_CONTENT, "a display item holds no items", item, place)
        return
    if item.is_question:
        yield from _question(definition, element, answers or [], item, place, depth)
        return
    if item.type != "group":
        yield _issue(Code.NO_TYPE, "the Questionnaire gives the item no known type", item, place)
    if answers:
        yield _issue(Code.GROUP_HAS_ANSWER, "a group holds no answers of its own", item, place)
    yield from _items(definition, element, item.children, place, depth + 1)


def _question(
    definition: Definition,
    element: Element,
    answers: list[Any],
    item: Item,
    place: str,
    depth: int,
) -> Iterator[Issue]:
    if element.get("item"):
        yield _issue(
            Code.ITEM_OUTSIDE_ANSWER,
            "items below a question stand within its answers",
            item,
            place,
        )
    for index, answer in enumerate(answers):
        if not isinstance(answer, dict):
            yield _issue(Code.NO_VALUE, "an answer is an object", item, f"{place}.answer[{index}]")
            continue
        if "item" not in answer:
            continue
        yield from _items(definition, answer, item.children, f"{place}.answer[{index}]", depth + 1)


def _text(element: Element, item: Item, place: str) -> Iterator[Issue]:
    """SDC 4.0: a text that is present is the Questionnaire's, unless an extension varies it."""
    text = element.get("text")
    if text is None or text == item.text:
        return
    sibling = item.raw.get("_text")
    if extensions(sibling, ext.CQF_EXPRESSION) or text in translations(sibling):
        return
    yield _issue(Code.TEXT_DIFFERS, "the text is not that of the Questionnaire", item, place)


def _issue(code: Code, text: str, item: Item, place: str) -> Issue:
    return Issue(code, "error", text, place, item.link_id)
