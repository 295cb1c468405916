"""Texts: characters, length and form."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from fhir_gateway.fhir import regex
from fhir_gateway.fhir.types import as_str
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.issues import Code, Issue
from fhir_gateway.questionnaire.response import Node

#: R4: a string is at most 1 MB (https://hl7.org/fhir/R4/datatypes.html#string).
MAX_TEXT = 1_048_576


def check(node: Node, place: str, value: str) -> Iterator[Issue]:
    """Issues of a string, text or url. A line break counts as one character however it is
    written."""
    item = node.item
    text = value.replace("\r\n", "\n") if "\r" in value else value
    if item.type != "text" and ("\n" in text or "\r" in text):
        yield _issue(Code.NEWLINE, node, place, "line breaks are for items of type text")
    if has_control_characters(text):
        yield _issue(Code.CONTROL_CHARACTER, node, place, "control characters are not text")
    shortest, longest = item.min_length, item.max_length
    if shortest is not None and len(text) < shortest:
        yield _issue(
            Code.MIN_LENGTH, node, place, f"at least {shortest} characters", limit=shortest
        )
    if longest is not None and len(text) > longest:
        yield _issue(
            Code.MAX_LENGTH,
            node,
            place,
            f"at most {longest} characters",
            limit=longest,
            over=len(text) - longest,
        )
    else:
        yield from _form(node, place, text)


def _form(node: Node, place: str, text: str) -> Iterator[Issue]:
    pattern = as_str(node.item.extension(ext.REGEX))
    if not pattern:
        return
    try:
        fits = matches(pattern, text)
    except regex.TooSlow:
        yield _issue(
            Code.REGEX_TOO_SLOW, node, place, "the regex takes too long", severity="warning"
        )
        return
    if not fits:
        yield Issue(
            Code.REGEX,
            "error",
            "the text is not of the form that is asked for",
            place,
            node.item.link_id,
            node.address,
            hl7="QUESTIONNAIRE_QR_ITEM_STRING_REGEX_EF" if node.item.entry_format else "",
        )


def has_control_characters(value: str) -> bool:
    """Whether text has characters that R4 strings must not have (controls other than tab and
    line breaks), or surrogates."""
    if value.isprintable():
        return False
    return any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\t\n\r" for c in value)


def matches(pattern: str, value: str) -> bool:
    """Whether the whole value has the form of an author's regex; true for no or a broken regex
    (lint reports it). Raises regex.TooSlow."""
    return not pattern or regex.matches_whole(pattern, value) is not False


def _issue(
    code: Code, node: Node, place: str, text: str, *, severity: str = "error", **args: Any
) -> Issue:
    return Issue(code, severity, text, place, node.item.link_id, node.address, args)
