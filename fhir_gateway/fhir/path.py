"""FHIRPath: compiled once, bounded, typed, and with a clock that the caller hands in.

Engine: fhirpathpy with its R4 model. Results stay typed nodes, so that an expression can go on
from a result (`ofType(Coding)` on a node works; on a plain dict it would not). `plain` turns nodes
into JSON values. Only expressions of authors are evaluated here; an answer is never an expression.

Bounds: length and nesting of an expression, number of results, steps and seconds of a run. A step
is one turn of a where(), select(), repeat() and the like, or one argument. The steps decide alike
on any machine; the seconds are for what takes long within a step.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from fhirpathpy.engine import do_eval
from fhirpathpy.engine.nodes import FP_Type, ResourceNode, TypeInfo
from fhirpathpy.engine.util import arraify
from fhirpathpy.models import models

from fhir_gateway.errors import Refused
from fhir_gateway.fhir.path_fast import faster
from fhir_gateway.fhir.path_functions import FunctionRefused, functions
from fhir_gateway.fhir.path_parser import parse as parse_expression

MAX_EXPRESSION = 8_000
MAX_NESTING = 60
MAX_RESULTS = 10_000
MAX_STEPS = 100_000
MAX_SECONDS = 5.0

_R4: Any = models["r4"]
# The engine asks here which type is derived from which; without it ofType(string) misses a code.
setattr(TypeInfo, "model", _R4)  # noqa: B010 (declared as None)


class PathRefused(Refused):
    """An expression that cannot be parsed, is out of bounds, or failed while it ran.

    The message names the expression, which is an author's text, and never the data.
    """

    def __init__(self, expression: str, why: str) -> None:
        shown = expression if len(expression) <= 200 else expression[:200] + "…"  # noqa: PLR2004
        super().__init__(f"FHIRPath '{shown}': {why}", code="fhirpath-refused")


def evaluate(
    expression: str,
    context: Any,
    variables: Mapping[str, Any] | None = None,
    *,
    now: datetime | None = None,
) -> list[Any]:
    """Evaluate `expression` on `context` (JSON, or a node of an earlier result).

    `variables`: name (without %) to JSON value, node, or list of nodes. `now`: what now() and
    today() answer; None is the system's clock. Returns typed nodes and system values, in order.

    Raises PathRefused.
    """
    tree = compile_expression(expression)
    root = arraify({} if context is None else context)
    # What fhirpathpy.apply_parsed_path would build, and `$this` for the root, which it forgets.
    state = _BoundedState(
        {
            "dataRoot": root,
            "$this": root,
            "vars": {"context": context, "ucum": "http://unitsofmeasure.org", **(variables or {})},
            "model": _R4,
            "userInvocationTable": functions(now or _this_second()),
        }
    )
    try:
        result = do_eval(state, root, tree)
    except (FunctionRefused, _OutOfBounds) as error:
        raise PathRefused(expression, str(error)) from None
    except Exception as error:
        raise PathRefused(expression, _why(error)) from None
    nodes: list[Any] = result if isinstance(result, list) else [result]
    if len(nodes) > MAX_RESULTS:
        raise PathRefused(expression, f"gave more than {MAX_RESULTS} results")
    return [node for node in nodes if not _only_extension(node)]


def compile_expression(expression: str) -> Any:
    """Parse an expression once; raises PathRefused when it is too long, too deep or malformed."""
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


class _OutOfBounds(Exception):
    """An expression ran too long."""


class _BoundedState(dict[str, Any]):
    """The engine's state of one run, which counts steps: each sets `$this` or `$index` anew."""

    __slots__ = ("_deadline", "_steps")

    def __init__(self, state: Mapping[str, Any]) -> None:
        super().__init__(state)
        self._steps = 0
        self._deadline = time.monotonic() + MAX_SECONDS

    def __setitem__(self, key: str, value: Any) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise _OutOfBounds(f"took more than {MAX_STEPS} steps")
        if self._steps % 64 == 0 and time.monotonic() > self._deadline:
            raise _OutOfBounds(f"took longer than {MAX_SECONDS:g} seconds")
        super().__setitem__(key, value)


def plain(node: Any) -> Any:
    """The JSON value of a node: the resource's own data, or a date or time as FHIR text."""
    data = node.data if isinstance(node, ResourceNode) else node
    if isinstance(data, FP_Type):
        return str(data)
    return data


def plain_all(nodes: Sequence[Any]) -> list[Any]:
    """`plain` of each node."""
    return [plain(node) for node in nodes]


def is_true(nodes: Sequence[Any]) -> bool:
    """Whether a condition holds: exactly one result and it is true. Empty is not true.

    SDC asks this of enableWhenExpression and constraints
    (https://hl7.org/fhir/uv/sdc/expressions.html).
    """
    return len(nodes) == 1 and plain(nodes[0]) is True


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
