"""The engine behind path.py: fhirpathpy with its R4 model, kept within bounds.

Results stay typed nodes, so that an expression can go on from a result (`ofType(Coding)` on a node
works; on a plain dict it would not). `plain` turns nodes into JSON values.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from antlr4 import CommonTokenStream, InputStream, ParseTreeWalker, Token
from antlr4.error.ErrorListener import ErrorListener
from fhirpathpy.engine import do_eval
from fhirpathpy.engine.nodes import FP_DateTime, FP_Time, FP_Type, ResourceNode
from fhirpathpy.engine.util import arraify, process_user_invocation_table
from fhirpathpy.models import models
from fhirpathpy.parser.ASTPathListener import ASTPathListener
from fhirpathpy.parser.generated.FHIRPathLexer import FHIRPathLexer
from fhirpathpy.parser.generated.FHIRPathParser import FHIRPathParser

from fhir_gateway.fhir import regex
from fhir_gateway.fhir.path import Budget, PathRefused

MAX_EXPRESSION = 8_000
MAX_NESTING = 60
MAX_RESULTS = 10_000
MAX_EXPONENT = 1_000
_STEPS_BETWEEN_LOOKS = 256

_R4 = models["r4"]


class _State(dict[str, Any]):
    """The engine's state, which it reads and writes at every step: the place to stop it."""

    def __init__(self, values: dict[str, Any], expression: str, budget: Budget) -> None:
        super().__init__(values)
        self._expression = expression
        self._deadline = time.monotonic() + budget.left
        self._steps = 0

    def __getitem__(self, key: str) -> Any:
        self._steps += 1
        if self._steps % _STEPS_BETWEEN_LOOKS == 0 and time.monotonic() > self._deadline:
            raise PathRefused(self._expression, "takes too long")
        return super().__getitem__(key)


def evaluate(
    expression: str,
    context: Any,
    variables: Mapping[str, Any] | None,
    now: datetime | None,
    budget: Budget,
) -> list[Any]:
    """See path.evaluate."""
    tree = compile_expression(expression)
    root = arraify({} if context is None else context)
    # What fhirpathpy.apply_parsed_path would build, and `$this` for the root, which it forgets.
    values = {
        "dataRoot": root,
        "$this": root,
        "vars": {"context": context, "ucum": "http://unitsofmeasure.org", **(variables or {})},
        "model": _R4,
        "userInvocationTable": process_user_invocation_table(_functions(now)),
    }
    if budget.left <= 0:
        raise PathRefused(expression, "is left out, because those before it took too long")
    started = time.monotonic()
    try:
        result = do_eval(_State(values, expression, budget), root, tree["children"][0])
    except PathRefused:
        raise
    except Exception as error:
        # The engine raises bare Exceptions whose text can hold data, so only the type is kept.
        raise PathRefused(expression, f"failed with {type(error).__name__}") from None
    finally:
        budget.left -= time.monotonic() - started
    nodes: list[Any] = result if isinstance(result, list) else [result]
    if len(nodes) > MAX_RESULTS:
        raise PathRefused(expression, f"gave more than {MAX_RESULTS} results")
    return [node for node in nodes if not _only_extension(node)]


@lru_cache(maxsize=4096)
def compile_expression(expression: str) -> Any:
    """Parse an expression once; raises PathRefused when it is too long, too deep or malformed."""
    if len(expression) > MAX_EXPRESSION:
        raise PathRefused(expression, f"is longer than {MAX_EXPRESSION} characters")
    if not expression.strip():
        raise PathRefused(expression, "is empty")
    if _nesting(expression) > MAX_NESTING:
        raise PathRefused(expression, f"nests deeper than {MAX_NESTING} brackets")
    try:
        return _parse(expression)
    except Exception as error:
        raise PathRefused(expression, f"cannot be parsed ({error})") from None


class _Strict(ErrorListener):  # type: ignore[misc]
    """Makes the parser say what it cannot read; the engine's own listener passes over it."""

    def syntaxError(
        self, recognizer: Any, symbol: Any, line: int, column: int, message: str, error: Any
    ) -> None:
        del recognizer, symbol, line, error
        said = message.split(" expecting")[0].replace("'<EOF>'", "its end")
        raise ValueError(f"at character {column + 1}: {said}")


def _parse(expression: str) -> Any:
    """What fhirpathpy.parser.parse builds, but only for an expression that is one to its end."""
    lexer = FHIRPathLexer(InputStream(expression))
    parser = FHIRPathParser(CommonTokenStream(lexer))
    for recognizer in (lexer, parser):
        recognizer.removeErrorListeners()
        recognizer.addErrorListener(_Strict())
    tree = parser.expression()
    after = parser.getCurrentToken()
    if after.type != Token.EOF:
        raise ValueError(f"at character {after.column + 1}: '{after.text}' is not expected here")
    listener = ASTPathListener()
    ParseTreeWalker().walk(listener, tree)
    return listener.parentStack[0]


def plain(node: Any) -> Any:
    """The JSON value of a node: the resource's own data, or a date or time as FHIR text."""
    data = node.data if isinstance(node, ResourceNode) else node
    if isinstance(data, FP_Type):
        return str(data)
    return data


def node_of(element: Any, path: str) -> Any:
    """Give JSON the type of its place, such as `QuestionnaireResponse.item`, for use as context."""
    return ResourceNode.create_node(element, path)


def _only_extension(node: Any) -> bool:
    """A primitive that has no value but only extensions is not a value."""
    data = node.data if isinstance(node, ResourceNode) else node
    return data is None or (isinstance(data, dict) and list(data) == ["extension"])


def _nesting(expression: str) -> int:
    depth = deepest = 0
    for char in expression:
        if char in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in ")]}":
            depth -= 1
    return deepest


def _functions(now: datetime | None) -> dict[str, Any]:
    """What differs from the engine's own functions: no trace(), and the caller's clock (the
    engine's is shared by all threads)."""
    moment = now or datetime.now().astimezone()
    # Clocks answer as text, as the engine's own do.
    return {
        # The engine's own run Python's regular expressions, which a pattern can hold up for ever.
        "matches": {"fn": _matches, "arity": {1: ["String"]}},
        "replaceMatches": {"fn": _replace_matches, "arity": {2: ["String", "String"]}},
        "power": {"fn": _power, "arity": {1: ["Number"]}, "nullable": True},
        "trace": {"fn": _refuse_trace, "arity": {0: [], 1: ["String"]}},
        "now": {"fn": lambda *_: str(FP_DateTime(moment.isoformat(timespec="seconds")))},
        "today": {"fn": lambda *_: str(FP_DateTime(moment.date().isoformat()))},
        "timeOfDay": {"fn": lambda *_: str(FP_Time(moment.time().isoformat("seconds")))},
    }


def _matches(nodes: Any, pattern: Any) -> Any:
    text = _text(nodes)
    compiled = regex.compiled(pattern) if isinstance(pattern, str) else None
    if text is None or compiled is None:
        return []
    return compiled.search(text) is not None


def _replace_matches(nodes: Any, pattern: Any, replacement: Any) -> Any:
    text = _text(nodes)
    compiled = regex.compiled(pattern) if isinstance(pattern, str) else None
    if text is None or compiled is None or not isinstance(replacement, str):
        return []
    return compiled.sub(re.sub(r"\$(\d)", r"\\\1", replacement), text)


def _power(nodes: Any, exponent: Any) -> Any:
    base = plain(nodes[0]) if nodes else None
    if not isinstance(base, int | Decimal) or not isinstance(exponent, int | Decimal):
        return []
    if abs(Decimal(exponent)) > MAX_EXPONENT:
        return []
    return Decimal(base) ** Decimal(exponent)


def _text(nodes: Any) -> str | None:
    values = [plain(node) for node in arraify(nodes)]
    return values[0] if len(values) == 1 and isinstance(values[0], str) else None


def _refuse_trace(*_: Any) -> None:
    # trace() writes data to a log, and data here are answers.
    raise PathRefused("trace()", "trace is not allowed")


def is_resource_type(name: str) -> bool:
    """Whether R4 has a resource type of this name."""
    kind = _R4["type2Parent"].get(name)
    return kind in ("DomainResource", "Resource", "MetadataResource")
