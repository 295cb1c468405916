"""Is each answer a value that its item allows: type, form, length, limits, options."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from fhir_gateway.fhir import regex
from fhir_gateway.fhir.terminology import NotExpandable
from fhir_gateway.fhir.types import as_dict, as_list, as_str, extension_value
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.definition import CHOICE_TYPES, TEXT_TYPES, Definition, Item
from fhir_gateway.questionnaire.issues import Code, Issue
from fhir_gateway.questionnaire.response import Node, value_of
from fhir_gateway.questionnaire.values import (
    VALUE_TYPES,
    is_date,
    is_date_time,
    is_time,
    number,
    order,
    same,
)


def check(node: Node, definition: Definition) -> Iterator[Issue]:
    """Issues of the answers of one enabled question."""
    item = node.item
    for index, answer in enumerate(node.answers):
        place = f"{node.expression}.answer[{index}]"
        value_type, value = value_of(answer)
        if not value_type:
            yield _issue(Code.NO_VALUE, node, place, "the answer has no value")
        elif value_type not in VALUE_TYPES.get(item.type, ()):
            yield _issue(
                Code.WRONG_TYPE, node, place, f"value{value_type} does not answer a {item.type}"
            )
        elif not _well_formed(value_type, value):
            yield _issue(Code.INVALID_VALUE, node, place, f"not a valid {value_type}")
        else:
            yield from _limits(node, place, value_type, value)
            if item.type in TEXT_TYPES:
                yield from _text(node, place, value)
            if item.type in CHOICE_TYPES or "answerOption" in item.raw:
                yield from _options(node, place, value_type, value, definition)
    if len(node.answers) > 1:
        yield from _exclusive(node)


def _well_formed(value_type: str, value: Any) -> bool:
    checks: dict[str, Callable[[Any], bool]] = {
        "Boolean": lambda v: isinstance(v, bool),
        "Integer": lambda v: (
            isinstance(v, int) and not isinstance(v, bool) and -(2**31) <= v < 2**31
        ),
        "Decimal": lambda v: number(v) is not None,
        "Date": is_date,
        "DateTime": is_date_time,
        "Time": is_time,
        "String": lambda v: isinstance(v, str) and bool(v.strip()),
        "Uri": lambda v: isinstance(v, str) and bool(v.strip()),
        "Quantity": lambda v: number(as_dict(v).get("value")) is not None,
        "Coding": lambda v: bool(as_dict(v).get("code") or as_dict(v).get("display")),
    }
    if value_type not in checks:
        return isinstance(value, dict) and bool(value)
    return checks[value_type](value)


def _text(node: Node, place: str, value: str) -> Iterator[Issue]:
    item = node.item
    if item.type != "text" and ("\n" in value or "\r" in value):
        yield _issue(Code.NEWLINE, node, place, "line breaks are for items of type text")
    if has_control_characters(value):
        yield _issue(Code.CONTROL_CHARACTER, node, place, "control characters are not text")
    shortest = item.extension(ext.MIN_LENGTH)
    if isinstance(shortest, int) and len(value) < shortest:
        yield _issue(
            Code.MIN_LENGTH, node, place, f"at least {shortest} characters", limit=shortest
        )
    longest = item.raw.get("maxLength")
    if isinstance(longest, int) and len(value) > longest:
        yield _issue(
            Code.MAX_LENGTH,
            node,
            place,
            f"at most {longest} characters",
            limit=longest,
            over=len(value) - longest,
        )
    elif not matches(as_str(item.extension(ext.REGEX)), value):
        yield _issue(Code.REGEX, node, place, "the text is not of the form that is asked for")


def has_control_characters(value: str) -> bool:
    """Whether text has characters that R4 strings must not have (controls other than tab and
    line breaks), or surrogates."""
    return any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n\r" for c in value)


def matches(pattern: str, value: str) -> bool:
    """Whether the whole value has the form of an author's regex; true for no or a broken regex
    (lint reports it)."""
    return not pattern or regex.matches_whole(pattern, value) is not False


def _limits(node: Node, place: str, value_type: str, value: Any) -> Iterator[Issue]:
    item = node.item
    for code, url, wrong in (
        (Code.MIN_VALUE, ext.MIN_VALUE, -1),
        (Code.MAX_VALUE, ext.MAX_VALUE, 1),
    ):
        limit = item.extension(url)
        if limit is not None and order(value_type, value, limit) == wrong:
            yield _issue(code, node, place, f"beyond the limit {limit}", limit=limit)
    places = item.extension(ext.MAX_DECIMAL_PLACES)
    exact = number(value)
    if isinstance(places, int) and exact is not None:
        exponent = exact.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > places:
            yield _issue(
                Code.MAX_DECIMAL_PLACES, node, place, f"at most {places} decimals", limit=places
            )


def option_values(item: Item) -> list[tuple[str, Any]]:
    """The (type, value) of each answerOption."""
    options = map(as_dict, as_list(item.raw.get("answerOption")))
    return [pair for pair in map(value_of, options) if pair[0]]


def _options(
    node: Node, place: str, value_type: str, value: Any, definition: Definition
) -> Iterator[Issue]:
    item = node.item
    allowed = option_values(item)
    if item.raw.get("answerValueSet"):
        try:
            allowed = [("Coding", coding) for coding in definition.value_set(item)]
        except NotExpandable as error:
            yield _issue(Code.OPTION_UNKNOWN, node, place, str(error), severity="warning")
            return
    if any(same(value_type, value, kind, option) for kind, option in allowed):
        return
    if item.type == "open-choice":
        free = value if value_type == "String" else as_dict(value).get("display")
        if value_type == "String" or (free and not as_dict(value).get("code")):
            yield from _free_text(node, place, value_type, free, allowed)
            return
    yield _issue(Code.NOT_AN_OPTION, node, place, "the answer is not one of the options")


def _free_text(
    node: Node, place: str, value_type: str, free: Any, allowed: list[tuple[str, Any]]
) -> Iterator[Issue]:
    """R4: free text of an open-choice is a valueString; a Coding with only a display is met."""
    known = {as_dict(option).get("display") for _, option in allowed}
    known |= {as_dict(option).get("code") for _, option in allowed}
    if value_type != "String" or free in known:
        yield _issue(
            Code.FREE_TEXT_IS_OPTION,
            node,
            place,
            "free text should be a valueString that is not the text of an option",
            severity="warning",
        )


def exclusive_options(item: Item) -> list[tuple[str, Any]]:
    """The (type, value) of the options that stand alone (questionnaire-optionExclusive)."""
    return [
        value_of(option)
        for option in map(as_dict, as_list(item.raw.get("answerOption")))
        if extension_value(option, ext.OPTION_EXCLUSIVE) is True
    ]


def _exclusive(node: Node) -> Iterator[Issue]:
    exclusive = exclusive_options(node.item)
    chosen = [value_of(answer) for answer in node.answers]
    if any(same(*answer, *option) for answer in chosen for option in exclusive):
        yield _issue(
            Code.EXCLUSIVE_OPTION, node, node.expression, "an exclusive option stands alone"
        )


def _issue(
    code: Code, node: Node, place: str, text: str, *, severity: str = "error", **args: Any
) -> Issue:
    return Issue(code, severity, text, place, node.item.link_id, node.address, args)
