"""FHIRPath functions that differ from the engine's own, and those that it lacks.

No trace(): it would write answers to a log. The clock is the caller's (the engine's is shared by
all threads). Regular expressions run on RE2, in linear time whatever an author writes and a patient
types. where(), exists() and all() hold a criterion that is a false element for false (the engine's
take any element for true) and evaluate it once. Added: hasValue(), getValue(), matchesFull()
(https://hl7.org/fhirpath/N1/, https://hl7.org/fhir/R4/fhirpath.html#functions).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import re2
from fhirpathpy.engine.nodes import FP_DateTime, FP_Time, FP_Type, ResourceNode

from fhir_gateway.errors import Refused

_GROUP = re.compile(r"\$(\d+)")
_TEXT = ["String"]
MAX_EXPONENT = 1_000


class FunctionRefused(Refused):
    """A function that may not run, or whose pattern is refused; the message is an author's text."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="fhirpath-refused")


@lru_cache(maxsize=64)
def functions(moment: datetime) -> Mapping[str, Any]:
    """The engine's table of functions for a clock that stands at `moment`."""
    clock = FP_DateTime(moment.isoformat(timespec="seconds"))
    # Clocks answer as text, as the engine's own do.
    return {
        "trace": {"fn": _refuse_trace, "arity": {0: [], 1: _TEXT, 2: ["String", "Expr"]}},
        "now": {"fn": lambda *_: str(clock)},
        "today": {"fn": lambda *_: str(FP_DateTime(moment.date().isoformat()))},
        "timeOfDay": {"fn": lambda *_: str(FP_Time(moment.time().isoformat("seconds")))},
        "matches": {"fn": _matches, "arity": {1: _TEXT}, "nullable_input": True},
        "matchesFull": {"fn": _matches_full, "arity": {1: _TEXT}, "nullable_input": True},
        "replaceMatches": {
            "fn": _replace_matches,
            "arity": {2: ["String", "String"]},
            "nullable_input": True,
        },
        "power": {"fn": _power, "arity": {1: ["Number"]}, "nullable": True},
        "where": {"fn": _where, "arity": {1: ["Expr"]}},
        "exists": {"fn": _exists, "arity": {0: [], 1: ["Expr"]}},
        "all": {"fn": _all, "arity": {1: ["Expr"]}},
        "hasValue": {"fn": _has_value},
        "getValue": {"fn": _get_value},
    }


def _refuse_trace(*_: Any) -> None:
    raise FunctionRefused("trace() is not allowed")


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    try:
        return re2.compile(pattern, options)
    except re2.error:
        raise FunctionRefused("a regular expression is malformed, or beyond RE2") from None


def _text(collection: list[Any]) -> str | None:
    """The one string of a collection; None for anything else, which FHIRPath calls an error."""
    if len(collection) != 1:
        raise FunctionRefused("a string function got several values")
    data = _data(collection[0])
    return data if isinstance(data, str) else None


def _matches(_: Any, collection: list[Any], pattern: Any) -> Any:
    text = _text(collection)
    if text is None or not isinstance(pattern, str):
        return []
    return _compiled(pattern).search(text) is not None


def _matches_full(_: Any, collection: list[Any], pattern: Any) -> Any:
    text = _text(collection)
    if text is None or not isinstance(pattern, str):
        return []
    return _compiled(pattern).fullmatch(text) is not None


def _replace_matches(_: Any, collection: list[Any], pattern: Any, substitution: Any) -> Any:
    """`$1` names a group; everything else of the substitution stands for itself."""
    text = _text(collection)
    if text is None or not isinstance(pattern, str) or not isinstance(substitution, str):
        return []

    def put(match: Any) -> str:
        return _GROUP.sub(lambda group: match.group(int(group[1])) or "", substitution)

    try:
        return _compiled(pattern).sub(put, text)
    except IndexError:
        raise FunctionRefused("a substitution names a group that the pattern has not") from None


def _power(_: Any, collection: list[Any], exponent: Any) -> Any:
    """The engine's own computes any power, however many digits it has."""
    base = _data(collection[0]) if collection else None
    if not isinstance(base, int | Decimal) or not isinstance(exponent, int | Decimal):
        return []
    if abs(Decimal(exponent)) > MAX_EXPONENT:
        return []
    return Decimal(base) ** Decimal(exponent)


def _where(state: Any, collection: Any, criterion: Any) -> list[Any]:
    if not isinstance(collection, list):
        return []
    kept = []
    for index, each in enumerate(collection):
        state["$index"] = index
        if _holds(criterion(each)):
            kept.append(each)
    return kept


def _exists(state: Any, collection: Any, criterion: Any = None) -> bool:
    found = _where(state, collection, criterion) if criterion else collection
    return isinstance(found, list) and len(found) > 0


def _all(state: Any, collection: Any, criterion: Any) -> bool:
    return len(_where(state, collection, criterion)) == len(collection)


def _holds(result: Any) -> bool:
    """A single thing that is no boolean counts as true
    (https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections)."""
    return isinstance(result, list) and len(result) > 0 and _data(result[0]) is not False


def _has_value(_: Any, collection: list[Any]) -> bool:
    return len(collection) == 1 and _is_primitive(_data(collection[0]))


def _get_value(_: Any, collection: list[Any]) -> list[Any]:
    return list(collection) if _has_value(_, collection) else []


def _data(node: Any) -> Any:
    return node.data if isinstance(node, ResourceNode) else node


def _is_primitive(value: Any) -> bool:
    return isinstance(value, FP_Type) or not (value is None or isinstance(value, dict | list))
