"""The engine behind path.py: fhirpathpy with its R4 model, kept within bounds.

Results stay typed nodes, so that an expression can go on from a result (`ofType(Coding)` on a node
works; on a plain dict it would not). `plain` turns nodes into JSON values.

Bounds: length and nesting of an expression, number of results, steps and seconds of a run. A step
is one turn of a where(), select(), repeat() and the like, or one argument. The steps decide alike
on any machine; the seconds are for what takes long within a step.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from fhirpathpy.engine import do_eval
from fhirpathpy.engine.nodes import FP_Type, ResourceNode, TypeInfo
from fhirpathpy.engine.util import arraify
from fhirpathpy.models import models

from fhir_gateway.fhir.path import Budget, PathRefused
from fhir_gateway.fhir.path_fast import faster
from fhir_gateway.fhir.path_functions import FunctionRefused, functions
from fhir_gateway.fhir.path_parser import parse as parse_expression

MAX_EXPRESSION = 8_000
MAX_NESTING = 60
MAX_RESULTS = 10_000
MAX_STEPS = 100_000
_STEPS_BETWEEN_LOOKS = 64

_R4: Any = models["r4"]
# The engine asks here which type is derived from which; without it ofType(string) misses a code.
setattr(TypeInfo, "model", _R4)  # noqa: B010 (declared as None)


class _OutOfBounds(Exception):
    """An expression ran too long."""


class _BoundedState(dict[str, Any]):
    """The engine's state of one run, which counts steps: each sets `$this` or `$index` anew."""

    __slots__ = ("_deadline", "_seconds", "_steps")

    def __init__(self, state: Mapping[str, Any], seconds: float) -> None:
        super().__init__(state)
        self._steps = 0
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds

    def __setitem__(self, key: str, value: Any) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise _OutOfBounds(f"took more than {MAX_STEPS} steps")
        if self._steps % _STEPS_BETWEEN_LOOKS == 0 and time.monotonic() > self._deadline:
            raise _OutOfBounds(f"took longer than {self._seconds:g} seconds")
        super().__setitem__(key, value)


def evaluate(
    expression: str,
    context: Any,
    variables: Mapping[str, Any] | None,
    now: datetime | None,
    budget: Budget,
    memo: dict[Any, Any] | None = None,
) -> list[Any]:
    """See path.evaluate."""
    tree = compile_expression(expression)
    if budget.left <= 0:
        raise PathRefused(expression, "is left out, because those before it took too long")
    root = arraify({} if context is None else context)
    # What fhirpathpy.apply_parsed_path would build, and `$this` for the root, which it forgets.
    state = {
        "dataRoot": root,
        "$this": root,
        "vars": {"context": context, "ucum": "http://unitsofmeasure.org", **(variables or {})},
        "model": _R4,
        "userInvocationTable": functions(now or _this_second()),
        "memo": memo,
    }
    started = time.monotonic()
    try:
        result = do_eval(_BoundedState(state, budget.left), root, tree)
    except (FunctionRefused, _OutOfBounds) as error:
        raise PathRefused(expression, str(error)) from None
    except Exception as error:
        raise PathRefused(expression, _why(error)) from None
    finally:
        budget.left -= time.monotonic() - started
    nodes: list[Any] = result if isinstance(result, list) else [result]
    if len(nodes) > MAX_RESULTS:
        raise PathRefused(expression, f"gave more than {MAX_RESULTS} results")
    return [node for node in nodes if not _only_extension(node)]


def compile_expression(expression: str) -> Any:
    """See path.compile_expression."""
    tree, why = _parsed(expression)
    if why:
        raise PathRefused(expression, why)
    return tree


@lru_cache(maxsize=4096)
def _parsed(expression: str) -> tuple[Any, str]:
    """The tree, or what is wrong. Failures are kept as well: they take as long to find."""
    if len(expression) > MAX_EXPRESSION:
        return None, f"is longer than {MAX_EXPRESSION} characters"
    if not expression.strip():
        return None, "is empty"
    if _nesting(expression) > MAX_NESTING:
        return None, f"nests deeper than {MAX_NESTING} brackets"
    try:
        return faster(parse_expression(expression)["children"][0]), ""
    except Exception as error:
        return None, f"cannot be parsed ({error})"


def plain(node: Any) -> Any:
    """See path.plain."""
    data = node.data if isinstance(node, ResourceNode) else node
    if isinstance(data, FP_Type):
        return str(data)
    return data


def node_of(element: Any, path: str) -> Any:
    """See path.node_of."""
    return ResourceNode.create_node(element, path)


def is_resource_type(name: str) -> bool:
    """See path.is_resource_type."""
    kind = _R4["type2Parent"].get(name)
    return kind in ("DomainResource", "Resource", "MetadataResource")


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


def _why(error: Exception) -> str:
    """What went wrong. The engine raises bare Exceptions whose text can hold data, so only the type
    is kept, but for two whose text is the author's."""
    text = str(error)
    for known in ("Not implemented: ", "Attempting to access an undefined environment variable: "):
        if text.startswith(known):
            word = "function" if known.startswith("Not") else "variable"
            return f"there is no {word} '{text.removeprefix(known)}'"
    return f"failed with {type(error).__name__}"


def _this_second() -> datetime:
    return datetime.now().astimezone().replace(microsecond=0)
