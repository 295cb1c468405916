"""Is each answer a value that its item allows: the right type, well formed; then the rules of its
kind, one file each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fhir_gateway.fhir.types import as_dict, as_list
from fhir_gateway.questionnaire.issues import Code, Issue
from fhir_gateway.questionnaire.item import CHOICE_TYPES, TEXT_TYPES, Item
from fhir_gateway.questionnaire.options import value_of
from fhir_gateway.questionnaire.response import Node
from fhir_gateway.questionnaire.rules import limits, media, options, text
from fhir_gateway.questionnaire.rules.context import Checking
from fhir_gateway.questionnaire.rules.text import has_control_characters, matches
from fhir_gateway.questionnaire.values import (
    VALUE_TYPES,
    is_date,
    is_date_time,
    is_time,
    number,
)

__all__ = ["check", "exclusive_options", "has_control_characters", "matches", "option_values"]

#: Answers to one question that are looked at; more are TOO_LARGE.
MAX_ANSWERS = 1_000


def check(node: Node, checking: Checking) -> Iterator[Issue]:
    """Issues of the answers of one enabled question."""
    for index, answer in enumerate(node.answers[:MAX_ANSWERS]):
        yield from _answer(node, f"{node.expression}.answer[{index}]", answer, checking)
    if len(node.answers) > MAX_ANSWERS:
        yield _issue(
            Code.TOO_LARGE, node, node.expression, f"more than {MAX_ANSWERS} answers to a question"
        )
    if len(node.answers) > 1:
        yield from options.exclusive(node)


def option_values(item: Item) -> list[tuple[str, Any]]:
    """The (type, value) of each answerOption."""
    return [(option.type, option.value) for option in item.options]


def exclusive_options(item: Item) -> list[tuple[str, Any]]:
    """The (type, value) of the options that stand alone (questionnaire-optionExclusive)."""
    return [(option.type, option.value) for option in item.options if option.exclusive]


def _answer(node: Node, place: str, answer: dict[str, Any], checking: Checking) -> Iterator[Issue]:
    item = node.item
    value_type, value = value_of(answer)
    if not value_type:
        # R4: an answer may hold nested items, or say in an extension why there is no value.
        if not as_list(answer.get("item")) and not _explained(answer):
            yield _issue(Code.NO_VALUE, node, place, "the answer has no value")
        return
    if sum(1 for key in answer if key.startswith("value")) > 1:
        yield _issue(Code.SEVERAL_VALUES, node, place, "an answer has one value")
    if value_type not in VALUE_TYPES.get(item.type, ()):
        yield _issue(
            Code.WRONG_TYPE, node, place, f"value{value_type} does not answer a {item.type}"
        )
    elif not _well_formed(value_type, value):
        yield _issue(Code.INVALID_VALUE, node, place, f"not a valid {value_type}")
    else:
        yield from limits.check(node, place, value_type, value, checking)
        if item.type in TEXT_TYPES:
            yield from text.check(node, place, value)
        if item.type in CHOICE_TYPES or "answerOption" in item.raw or item.value_set:
            yield from options.check(node, place, value_type, value, checking)
        if value_type in ("Attachment", "Reference", "Uri"):
            yield from media.check(node, place, value_type, value, checking)


def _explained(answer: dict[str, Any]) -> bool:
    return "extension" in answer or any(key.startswith("_value") for key in answer)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31


_WELL_FORMED: Mapping[str, Callable[[Any], bool]] = {
    "Boolean": lambda v: isinstance(v, bool),
    "Integer": _is_integer,
    "Decimal": lambda v: number(v) is not None,
    "Date": is_date,
    "DateTime": is_date_time,
    "Time": is_time,
    "String": _is_text,
    "Uri": _is_text,
    # A quantity without a number may still say how it is unknown; R4 has no rule against it.
    "Quantity": lambda v: isinstance(v, dict) and bool(v) and _number_or_none(v.get("value")),
    "Coding": lambda v: _is_text(as_dict(v).get("code")) or _is_text(as_dict(v).get("display")),
}


def _number_or_none(value: Any) -> bool:
    return value is None or number(value) is not None


def _well_formed(value_type: str, value: Any) -> bool:
    if value_type not in _WELL_FORMED:
        return isinstance(value, dict) and bool(value)
    if isinstance(value, str) and len(value) > text.MAX_TEXT:
        return False
    return _WELL_FORMED[value_type](value)


def _issue(code: Code, node: Node, place: str, words: str) -> Issue:
    return Issue(code, "error", words, place, node.item.link_id, node.address)
