"""Filters of JSONPath (`[?(@.system == 'a' && @.value)]`), as RFC 9535 has them, without functions.

Also with the parentheses around them that older writers of JSONPath ask for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fhir_gateway.conformance.errors import NotSupported

#: Whether a filter holds for a value.
Test = Callable[[Any], bool]
#: What the singular path or literal of a comparison is for a value: one value, or none.
_Operand = Callable[[Any], list[Any]]
#: Looks for a path, such as `$.name[0].use`, in a value.
Find = Callable[[str, Any], list[Any]]

_TOKEN = re.compile(
    r"""\s*(?:(?P<mark>\|\||&&|==|!=|<=|>=|<|>|!|\(|\)) |
        (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*") |
        (?P<number>-?\d{1,18}(?:\.\d{1,18})?) | (?P<word>true|false|null)\b |
        (?P<path>@(?:\.[A-Za-z_][\w-]*|\[(?:\d{1,6}|'[^']*'|"[^"]*")\])*)
    )\s*""",
    re.VERBOSE,
)
_WORDS = {"true": True, "false": False, "null": None}
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_MAX_TOKENS = 200


def compiled(text: str, find: Find) -> Test:
    """The test that a filter is. Raises NotSupported for what is none."""
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or len(tokens) > _MAX_TOKENS:
            raise NotSupported(f"not supported: the JSONPath filter '{text[:200]}'")
        tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
        position = match.end()
    parser = _Parser(tokens, find)
    test = parser.either()
    if test is None or parser.rest:
        raise NotSupported(f"not supported: the JSONPath filter '{text[:200]}'")
    return test


class _Parser:
    """Reads `a || b && !(c == 'd')`; None where something else stands."""

    def __init__(self, tokens: list[tuple[str, str]], find: Find) -> None:
        self.rest = tokens[::-1]
        self._find = find

    def either(self) -> Test | None:
        return self._joined("||", self._both, any)

    def _both(self) -> Test | None:
        return self._joined("&&", self._one, all)

    def _joined(
        self, mark: str, part: Callable[[], Test | None], of: Callable[[Any], bool]
    ) -> Test | None:
        tests = [part()]
        while self._taken(mark):
            tests.append(part())
        sure = [test for test in tests if test is not None]
        return (lambda value: of(test(value) for test in sure)) if len(sure) == len(tests) else None

    def _one(self) -> Test | None:
        if self._taken("!"):
            return _negated(self._one())
        if self._taken("("):
            inner = self.either()
            return inner if self._taken(")") else None
        is_path = bool(self.rest) and self.rest[-1][0] == "path"
        left = self._operand()
        sign = next((one for one in _COMPARISONS if self._taken(one)), "")
        if left is None or not sign:
            return (lambda value: bool(left(value))) if left is not None and is_path else None
        right = self._operand()
        return None if right is None else lambda value: _holds(sign, left(value), right(value))

    def _operand(self) -> _Operand | None:
        kind, text = self.rest.pop() if self.rest else ("", "")
        if kind == "path":
            return lambda value: self._find(f"${text[1:]}", value)
        if kind == "text":
            literal: Any = re.sub(r"\\(.)", r"\1", text[1:-1])
        elif kind == "number":
            literal = Decimal(text)
        elif kind == "word":
            literal = _WORDS[text]
        else:
            return None
        return lambda _value: [literal]

    def _taken(self, mark: str) -> bool:
        if self.rest and self.rest[-1] == ("mark", mark):
            self.rest.pop()
            return True
        return False


def _negated(test: Test | None) -> Test | None:
    return None if test is None else lambda value: not test(value)


def _holds(sign: str, left: list[Any], right: list[Any]) -> bool:
    """A comparison; nothing is equal to nothing, and only numbers or texts have an order."""
    if sign in ("==", "!="):
        return (list(map(_typed, left)) == list(map(_typed, right))) == (sign == "==")
    if not left or not right or _typed(left[0])[0] != _typed(right[0])[0]:
        return False
    kind, (first, second) = _typed(left[0])[0], (left[0], right[0])
    if kind not in ("number", "str"):
        return False
    order = int(first > second) - int(first < second)
    return (order == 0 and "=" in sign) or order == (1 if ">" in sign else -1)


def _typed(value: Any) -> tuple[str, Any]:
    """With its kind, as true is not 1."""
    if isinstance(value, bool):
        return "bool", value
    return ("number" if isinstance(value, (int, Decimal)) else type(value).__name__), value
