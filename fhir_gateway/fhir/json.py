"""FHIR JSON in and out: exact decimals, and nothing that two parsers would read differently.

R4 says that decimal precision is significant (https://hl7.org/fhir/R4/json.html#primitive), so
numbers with a fraction become `decimal.Decimal` and are written back digit by digit. Duplicate
keys, NaN, lone surrogates and deep nesting are refused before anything else looks at the data
(OWASP ASVS 1.5.3).
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import orjson

from fhir_gateway.errors import Refused

MAX_BYTES = 1_000_000
MAX_DEPTH = 100

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class JsonRefused(Refused):
    """The bytes are not JSON that this gateway reads; the message says why, without content."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="json-refused")


def parse(data: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """Parse JSON strictly.

    Raises JsonRefused for more than `max_bytes` bytes or `max_depth` levels, text that is not
    UTF-8, duplicate keys, NaN and infinities, lone surrogates and numbers beyond reason.
    """
    size = len(data) if isinstance(data, bytes) else len(data.encode("utf-8", "surrogatepass"))
    if size > max_bytes:
        raise JsonRefused(f"The content is larger than {max_bytes} bytes.")
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
    except UnicodeDecodeError:
        raise JsonRefused("The content is not UTF-8 text.") from None
    if _depth(text) > max_depth:
        raise JsonRefused(f"The content is nested deeper than {max_depth} levels.")
    try:
        value = json.loads(
            text,
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object_without_duplicates,
        )
    except json.JSONDecodeError as error:
        raise JsonRefused(f"Not valid JSON at line {error.lineno}, column {error.colno}.") from None
    except (RecursionError, ValueError, InvalidOperation) as error:
        if isinstance(error, JsonRefused):
            raise
        raise JsonRefused("The content has a number or a nesting beyond reason.") from None
    if _SURROGATE_ESCAPE.search(text):
        _refuse_lone_surrogates(value)
    return value


def parse_own(data: bytes) -> Any:
    """Parse what `dump` wrote and nobody can have changed since (it was sealed): exact decimals,
    without the checks that foreign JSON needs."""
    return json.loads(data, parse_float=Decimal)


def dump(value: Any, *, pretty: bool = False) -> bytes:
    """Write JSON as UTF-8; decimals as the digits they were read with."""
    return orjson.dumps(
        value, default=_decimal_digits, option=orjson.OPT_INDENT_2 if pretty else None
    )


def _decimal_digits(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(str(value))
    raise TypeError(f"{type(value).__name__} is not JSON")


def _depth(text: str) -> int:
    """How deep brackets nest outside strings; linear time, whatever the text."""
    depth = deepest = 0
    for char in _STRING.sub("", text):
        if char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


def _refuse_constant(name: str) -> NoReturn:
    raise JsonRefused(f"{name} is not a JSON number.")


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise JsonRefused("An object has the same key twice.")
    return result


def _refuse_lone_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError:
        raise JsonRefused("The content has half of a surrogate pair.") from None
