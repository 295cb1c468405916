"""The part of JSONPath that TestScripts use: names, indexes, slices, filters, wildcards, descent.

RFC 9535 without unions and functions; those are reported as not supported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fhir_gateway.conformance import json_path_filter
from fhir_gateway.conformance.errors import NotSupported

_STEP = re.compile(
    r"""(?P<deep>\.\.)?(?:
        \.?(?P<name>[A-Za-z_][\w-]*) | \.?(?P<star>\*) |
        \[\s*(?:(?P<slice>(?:-?\d{1,6})?\s*:\s*(?:-?\d{1,6})?(?:\s*:\s*[1-9]\d{0,5})?) |
               (?P<index>-?\d{1,6}) | (?P<every>\*) | '(?P<q1>[^']*)' | "(?P<q2>[^"]*)")\s*\]
    )""",
    re.VERBOSE,
)
_FILTER = re.compile(r"(?P<deep>\.\.)?\[\s*\?")
#: What a step takes of a node: a name, an index, a slice, what a filter holds for, or None for all.
Selector = str | int | slice | json_path_filter.Test | None
_MAX_FOUND = 10_000


def steps(expression: str) -> list[tuple[bool, Selector]]:
    """The steps of an expression: whether it descends, and what it takes. The `$` that it starts
    with may be left out.

    Raises NotSupported for JSONPath beyond them.
    """
    text, position = expression.strip(), 1
    if not text.startswith("$"):
        text = f"${text}"
    found: list[tuple[bool, Selector]] = []
    while position < len(text):
        opened = _FILTER.match(text, position)
        if opened:
            end = _closed(text, opened.end())
            within = json_path_filter.compiled(text[opened.end() : end], find)
            found.append((bool(opened["deep"]), within))
            position = end + 1
            continue
        match = _STEP.match(text, position)
        if match is None or match.end() == position:
            raise NotSupported(f"not supported: the JSONPath '{text[:200]}'")
        found.append((bool(match["deep"]), _selector(match)))
        position = match.end()
    return found


def _closed(text: str, start: int) -> int:
    """Where the bracket is closed that is open at a place. Raises NotSupported."""
    depth, quote = 1, ""
    for place in range(start, len(text)):
        char = text[place]
        if quote:
            quote = "" if char == quote and text[place - 1] != "\\" else quote
        elif char in "'\"":
            quote = char
        else:
            depth += (char == "[") - (char == "]")
            if not depth:
                return place
    raise NotSupported(f"not supported: the JSONPath '{text[:200]}'")


def _selector(match: re.Match[str]) -> Selector:
    if match["slice"] is not None:
        parts = [part.strip() for part in match["slice"].split(":")]
        return slice(*(int(part) if part else None for part in parts))
    if match["index"] is not None:
        return int(match["index"])
    if match["star"] or match["every"]:
        return None
    return next(name for name in (match["name"], match["q1"], match["q2"]) if name is not None)


def find(expression: str, value: Any) -> list[Any]:
    """The values at an expression. Raises NotSupported."""
    found = [value]
    for deep, selector in steps(expression):
        nodes = [n for each in found for n in (_descend(each) if deep else (each,))]
        found = [part for node in nodes for part in _select(node, selector)][:_MAX_FOUND]
    return found


def _select(node: Any, selector: Selector) -> Iterator[Any]:
    children = node.values() if isinstance(node, dict) else node if _is_list(node) else ()
    if selector is None:
        yield from children
    elif isinstance(selector, slice):
        yield from node[selector] if _is_list(node) else ()
    elif callable(selector):
        yield from filter(selector, children)
    elif isinstance(selector, int):
        if _is_list(node) and -len(node) <= selector < len(node):
            yield node[selector]
    elif isinstance(node, dict) and selector in node:
        yield node[selector]


def _descend(node: Any) -> Iterator[Any]:
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        if isinstance(current, dict):
            pending.extend(reversed(list(current.values())))
        elif _is_list(current):
            pending.extend(reversed(current))


def _is_list(node: Any) -> bool:
    return isinstance(node, list)
