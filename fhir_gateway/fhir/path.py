"""FHIRPath: compiled once, bounded, typed, and with a clock that the caller hands in.

Only expressions of authors are evaluated here; an answer is never an expression. The engine is
loaded by the first expression (path_engine.py), so that those who need none do not wait for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from fhir_gateway.errors import Refused

MAX_SECONDS = 5.0
_VARIABLE = re.compile(r"%(?:`([^`]+)`|'([^']+)'|([A-Za-z_][A-Za-z0-9_-]*))")


class PathRefused(Refused):
    """An expression that cannot be parsed, is out of bounds, or failed while it ran.

    The message names the expression, which is an author's text, and never the data.
    """

    def __init__(self, expression: str, why: str) -> None:
        shown = expression if len(expression) <= 200 else expression[:200] + "…"  # noqa: PLR2004
        super().__init__(f"FHIRPath '{shown}': {why}", code="fhirpath-refused")


class Budget:
    """How long expressions may run altogether, in seconds; shared by those of one task."""

    def __init__(self, seconds: float | None = None) -> None:
        self.left = MAX_SECONDS if seconds is None else seconds


def evaluate(
    expression: str,
    context: Any,
    variables: Mapping[str, Any] | None = None,
    *,
    now: datetime | None = None,
    budget: Budget | None = None,
    memo: dict[Any, Any] | None = None,
) -> list[Any]:
    """Evaluate `expression` on `context` (JSON, or a node of an earlier result).

    `variables`: name (without %) to JSON value, node, or list of nodes. `now`: what now() and
    today() answer; None is the system's clock. `budget`: the time left to it (None: 5 seconds).
    `memo`: a dict that expressions of one task share, on data that nobody changes meanwhile: what
    they have in common, such as `%resource.repeat(item)`, is then walked once.
    Returns typed nodes and system values, in order.

    Raises PathRefused.
    """
    from fhir_gateway.fhir import path_engine

    return path_engine.evaluate(expression, context, variables, now, budget or Budget(), memo)


def compile_expression(expression: str) -> Any:
    """Parse an expression once; raises PathRefused when it is too long, too deep or malformed."""
    from fhir_gateway.fhir import path_engine

    return path_engine.compile_expression(expression)


@lru_cache(maxsize=4096)
def variables_in(expression: str) -> frozenset[str]:
    """The names of the variables (`%name`) that an expression mentions; one within a string
    literal counts too."""
    return frozenset(next(filter(None, found)) for found in _VARIABLE.findall(expression))


def plain(node: Any) -> Any:
    """The JSON value of a node: the resource's own data, or a date or time as FHIR text."""
    from fhir_gateway.fhir import path_engine

    return path_engine.plain(node)


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
    from fhir_gateway.fhir import path_engine

    return path_engine.node_of(element, path)


def is_resource_type(name: str) -> bool:
    """Whether R4 has a resource type of this name."""
    from fhir_gateway.fhir import path_engine

    return path_engine.is_resource_type(name)
