"""JSON Patch (RFC 6902) on plain JSON. Pure: the input is untouched, all or nothing.

https://hl7.org/fhir/R4/http.html#patch
"""

from __future__ import annotations

import copy
import re
from typing import Any

from fhir_gateway.errors import Refused
from fhir_gateway.fhir.types import as_str

MAX_OPERATIONS = 200
_INDEX = re.compile(r"0|[1-9][0-9]{0,6}")
_WITH_VALUE = frozenset({"add", "replace", "test"})


class PatchRefused(Refused):
    """A patch that cannot be applied. `failed_test`: it was meant for another state."""

    def __init__(self, message: str, *, failed_test: bool = False) -> None:
        super().__init__(message, code="patch-refused")
        self.failed_test = failed_test


def apply(document: Any, patch: Any) -> Any:
    """The document with a patch applied. Raises PatchRefused; its text repeats no values."""
    if not isinstance(patch, list):
        raise PatchRefused("A JSON Patch is an array of operations.")
    if len(patch) > MAX_OPERATIONS:
        raise PatchRefused(f"A patch may have {MAX_OPERATIONS} operations at the most.")
    result = copy.deepcopy(document)
    for number, operation in enumerate(patch, 1):
        try:
            result = _one(result, operation)
        except PatchRefused as error:
            raise PatchRefused(
                f"Operation {number}: {error}", failed_test=error.failed_test
            ) from None
    return result


def _one(document: Any, operation: Any) -> Any:
    if not isinstance(operation, dict):
        raise PatchRefused("it is no object.")
    name = as_str(operation.get("op"))
    path = _pointer(operation.get("path"))
    if name in _WITH_VALUE and "value" not in operation:
        raise PatchRefused("it has no 'value'.")
    match name:
        case "add":
            return _add(document, path, copy.deepcopy(operation["value"]))
        case "replace":
            return _replace(document, path, copy.deepcopy(operation["value"]))
        case "remove":
            return _removed(document, path)[0]
        case "test":
            if not _same(_at(document, path), operation["value"]):
                raise PatchRefused("the test failed.", failed_test=True)
            return document
        case "copy" | "move":
            return _from(document, _pointer(operation.get("from")), path, name)
    raise PatchRefused("'op' is one of add, remove, replace, move, copy, test.")


def _from(document: Any, source: list[str], path: list[str], name: str) -> Any:
    if name == "copy":
        return _add(document, path, copy.deepcopy(_at(document, source)))
    if path[: len(source)] == source and path != source:
        raise PatchRefused("nothing can be moved into itself.")
    rest, value = _removed(document, source)
    return _add(rest, path, value)


def _pointer(text: Any) -> list[str]:
    """The parts of a JSON Pointer (RFC 6901)."""
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise PatchRefused("a path is a JSON Pointer, such as /status.")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _at(document: Any, path: list[str]) -> Any:
    for part in path:
        document = _child(document, part)
    return document


def _child(holder: Any, part: str) -> Any:
    if isinstance(holder, dict) and part in holder:
        return holder[part]
    if isinstance(holder, list):
        return holder[_index(holder, part, len(holder) - 1)]
    raise PatchRefused("there is nothing at its path.")


def _index(holder: list[Any], part: str, last: int) -> int:
    del holder
    if not _INDEX.fullmatch(part) or int(part) > last:
        raise PatchRefused("there is nothing at its path.")
    return int(part)


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    holder = _at(document, path[:-1])
    if isinstance(holder, dict):
        holder[path[-1]] = value
    elif isinstance(holder, list):
        end = len(holder)
        holder.insert(end if path[-1] == "-" else _index(holder, path[-1], end), value)
    else:
        raise PatchRefused("there is nothing at its path.")
    return document


def _replace(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    _at(document, path)
    holder = _at(document, path[:-1])
    key: Any = int(path[-1]) if isinstance(holder, list) else path[-1]
    holder[key] = value
    return document


def _removed(document: Any, path: list[str]) -> tuple[Any, Any]:
    if not path:
        raise PatchRefused("the whole resource cannot be removed.")
    value = _at(document, path)
    holder = _at(document, path[:-1])
    if isinstance(holder, list):
        del holder[int(path[-1])]
    else:
        del holder[path[-1]]
    return document, value


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other) and as_str(one) == as_str(other)
