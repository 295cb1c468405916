"""`${name}` in the texts of a script, so that a value from a server stays a value.

A value that came from a server is data. In an expression it may stand within a string literal,
where it is escaped, or be a plain number or boolean; anything else would let a server write
expressions. In JSON and XML it is escaped as those ask.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from fhir_gateway.conformance.errors import ScriptError

_PLACE = re.compile(r"\$\{([^${}\s]{1,200})\}")
_HARMLESS = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?|true|false")
MAX_VALUE = 20_000
MAX_TEXT = 5_000_000


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a variable. `authored`: it is from the script or the tester, not a server."""

    text: str
    authored: bool


Resolve = Callable[[str], Value]


def names_in(text: str) -> list[str]:
    """The names of the variables that a text mentions, in order."""
    return _PLACE.findall(text)


def plain(text: str, resolve: Resolve) -> str:
    """With the values as they are. Raises ScriptError when it becomes too long, and ScriptError,
    NotSupported from `resolve`."""
    return _replaced(text, resolve, str)


def into_json(text: str, resolve: Resolve) -> str:
    """With the values escaped as the inside of a JSON string."""
    return _replaced(text, resolve, lambda value: json.dumps(value, ensure_ascii=False)[1:-1])


def into_xml(text: str, resolve: Resolve) -> str:
    """With the values escaped as the inside of an attribute or a text."""
    return _replaced(text, resolve, lambda value: escape(value, {'"': "&quot;", "'": "&apos;"}))


def _replaced(text: str, resolve: Resolve, put: Callable[[str], str]) -> str:
    """Each variable is evaluated once, however often the text names it."""
    known: dict[str, str] = {}
    parts, end, length = [], 0, len(text)
    for found in _PLACE.finditer(text):
        name = found[1]
        if name not in known:
            known[name] = put(resolve(name).text)
        length += len(known[name])
        if length > MAX_TEXT:
            raise ScriptError(f"with its variables a text is longer than {MAX_TEXT} characters")
        parts += [text[end : found.start()], known[name]]
        end = found.end()
    return "".join([*parts, text[end:]])


def into_expression(text: str, resolve: Resolve, *, backslash: bool = True) -> str:
    """With the values as literals. `backslash`: the language escapes quotes by it (FHIRPath does,
    XPath 1.0 has no escape). Raises ScriptError for a value that cannot be a literal there."""
    parts, end = [], 0
    for found in _PLACE.finditer(text):
        parts.append(text[end : found.start()])
        value = resolve(found[1])
        quote = _open_quote(text[: found.start()], backslash=backslash)
        parts.append(_literal(found[1], value, quote, backslash=backslash))
        end = found.end()
    return "".join([*parts, text[end:]])


def _literal(name: str, value: Value, quote: str, *, backslash: bool) -> str:
    if quote and backslash:
        escaped = value.text.replace("\\", "\\\\").replace(quote, f"\\{quote}")
        return escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    if quote and quote not in value.text:
        return value.text
    if not quote and (value.authored or _HARMLESS.fullmatch(value.text)):
        return value.text
    raise ScriptError(
        f"${{{name}}} came from the server and cannot stand in an expression outside quotes"
        if not quote
        else f"the value of ${{{name}}} has a quote, which this path cannot hold"
    )


def _open_quote(text: str, *, backslash: bool) -> str:
    """The quote that is open at the end of a text; empty for none."""
    quote, skip = "", False
    for char in text:
        if skip:
            skip = False
        elif backslash and quote and char == "\\":
            skip = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"`":
            quote = char
    return quote
