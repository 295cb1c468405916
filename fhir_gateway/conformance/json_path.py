"""The part of JSONPath that TestScripts use: names, indexes, wildcards and descent.

RFC 9535 without filters, slices and functions; those are reported as not supported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fhir_gateway.conformance.errors import NotSupported

_STEP = re.compile(
    r"""(?P<deep>\.\.)?(?:
        \.?(?P<name>[A-Za-z_][\w-]*) | \.?(?P<star>\*) |
        \[\s*(?:(?P<index>-?\d{1,6}) | (?P<every>\*) | '(?P<q1>[^']*)' | "(?P<q2>[^"]*)")\s*\]
    )""",
    re.VERBOSE,
)
_MAX_FOUND = 10_000


def steps(expression: str) -> list[tuple[bool, str | int | None]]:
    """The steps of an expression: whether it descends, and a name, an index, or None for all. The
    `$` that it starts with may be left out.

    Raises NotSupported for JSONPath beyond them.
    """
    text, position = expression.strip(), 1
    if not text.startswith("$"):
        text = f"${text}"
    found: list[tuple[bool, str | int | None]] = []
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None or match.end() == position:
            raise NotSupported(f"not supported: the JSONPath '{text[:200]}'")
        found.append((bool(match["deep"]), _selector(match)))
        position = match.end()
    return found


def _selector(match: re.Match[str]) -> str | int | None:
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


def _select(node: Any, selector: str | int | None) -> Iterator[Any]:
    if selector is None:
        yield from node.values() if isinstance(node, dict) else node if _is_list(node) else ()
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
