"""FHIRPath: compiled once, bounded, typed, and with a clock that the caller hands in.

Engine: fhirpathpy with its R4 model. Results stay typed nodes, so that an expression can go on
from a result (`ofType(Coding)` on a node works; on a plain dict it would not). `plain` turns nodes
into JSON values. Only expressions of authors are evaluated here; an answer is never an expression.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from fhirpathpy.engine import do_eval
from fhirpathpy.engine.nodes import FP_DateTime, FP_Time, FP_Type, ResourceNode
from fhirpathpy.engine.util import arraify, process_user_invocation_table
from fhirpathpy.models import models
from fhirpathpy.parser import parse as parse_expression

from fhir_gateway.errors import Refused

MAX_EXPRESSION = 8_000
MAX_NESTING = 60
MAX_RESULTS = 10_000

_R4 = models["r4"]


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
    state = {
        "dataRoot": root,
        "$this": root,
        "vars": {"context": context, "ucum": "http://unitsofmeasure.org", **(variables or {})},
        "model": _R4,
        "userInvocationTable": process_user_invocation_table(_functions(now)),
    }
    try:
        result = do_eval(state, root, tree["children"][0])
    except PathRefused:
        raise
    except Exception as error:
        # The engine raises bare Exceptions whose text can hold data, so only the type is kept.
        raise PathRefused(expression, f"failed with {type(error).__name__}") from None
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
        return parse_expression(expression)
    except Exception as error:
        raise PathRefused(expression, f"cannot be parsed ({error})") from None


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


def _functions(now: datetime | None) -> dict[str, Any]:
    """What differs from the engine's own functions: no trace(), and the caller's clock (the
    engine's is shared by all threads)."""
    moment = now or datetime.now().astimezone()
    # Clocks answer as text, as the engine's own do.
    return {
        "trace": {"fn": _refuse_trace, "arity": {0: [], 1: ["String"]}},
        "now": {"fn": lambda *_: str(FP_DateTime(moment.isoformat(timespec="seconds")))},
        "today": {"fn": lambda *_: str(FP_DateTime(moment.date().isoformat()))},
        "timeOfDay": {"fn": lambda *_: str(FP_Time(moment.time().isoformat("seconds")))},
    }


def _refuse_trace(*_: Any) -> None:
    # trace() writes data to a log, and data here are answers.
    raise PathRefused("trace()", "trace is not allowed")
