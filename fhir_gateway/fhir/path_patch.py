"""FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html) on plain JSON. Pure.

Paths are steps from the resource down: elements, an index, `first()`, `last()`, and
`where(element = 'text')`. A patch says where to write, so anything that only finds has no place.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

from fhir_gateway.fhir.json_patch import MAX_OPERATIONS, PatchRefused
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str

_STEP = re.compile(
    r"(?P<name>[A-Za-z][A-Za-z0-9]*)"
    r"(?:\((?P<where>[A-Za-z]+)\s*=\s*'(?P<text>[^'\\]*)'\)|(?P<call>\(\)))?"
    r"(?:\[(?P<index>\d{1,6})\])?"
)
#: Where a value is: its holder, and its key or index there.
_Place = tuple[Any, Any]


def apply(resource: Resource, patch: Resource) -> Resource:
    """The resource with a patch (Parameters) applied. Raises PatchRefused."""
    operations = [
        as_dict(part)
        for part in as_list(patch.get("parameter"))
        if as_dict(part).get("name") == "operation"
    ]
    if not operations or len(operations) > MAX_OPERATIONS:
        raise PatchRefused(
            f"A FHIRPath Patch has 1 to {MAX_OPERATIONS} parameters that are called 'operation'."
        )
    root = {"": copy.deepcopy(resource)}
    for number, operation in enumerate(operations, 1):
        try:
            _one(root, {as_str(p.get("name")): p for p in map(as_dict, _parts(operation))})
        except PatchRefused as error:
            raise PatchRefused(f"Operation {number}: {error}") from None
    return root[""]


def _parts(operation: Element) -> list[Any]:
    return as_list(operation.get("part"))


def _one(root: dict[str, Any], parts: dict[str, Element]) -> None:
    kind = as_str(parts.get("type", {}).get("valueCode"))
    places = list(_places(root, as_str(parts.get("path", {}).get("valueString"))))
    match kind:
        case "add":
            _add(_single(places), as_str(parts.get("name", {}).get("valueString")), _value(parts))
        case "replace":
            holder, key = _single(places)
            holder[key] = _value(parts)
        case "delete":
            # Nothing there is as good as deleted (https://hl7.org/fhir/R4/fhirpatch.html).
            if places:
                holder, key = _single(places)
                del holder[key]
                _without_empty(root)
        case "insert":
            array = _list(places)
            array.insert(_number(parts, "index", len(array)), _value(parts))
        case "move":
            array = _list(places)
            moved = array.pop(_number(parts, "source", len(array) - 1))
            array.insert(_number(parts, "destination", len(array)), moved)
        case _:
            raise PatchRefused("'type' is one of add, insert, delete, replace, move.")


def _add(place: _Place, name: str, value: Any) -> None:
    holder, key = place
    target = holder[key]
    if not isinstance(target, dict) or not name.isalnum():
        raise PatchRefused("'path' must lead to an element, and 'name' say what to add to it.")
    if isinstance(target.get(name), list):
        target[name].append(value)
    elif name in target:
        raise PatchRefused("the element is there already: use replace.")
    else:
        target[name] = [value] if name in _REPEATING else value


#: Elements of what can be patched that are lists, for when there is none yet.
_REPEATING = frozenset(
    "identifier note coding extension contained partOf basedOn input output relevantHistory "
    "performerType reasonReference insurance contact telecom header".split()
)


def _value(parts: dict[str, Element]) -> Any:
    if "value" not in parts:
        raise PatchRefused("it has no 'value'.")
    part = parts["value"]
    found = [v for key, v in part.items() if key.startswith("value") or key == "resource"]
    if found:
        return found[0]
    inner = [as_dict(p) for p in _parts(part)]
    if not inner:
        raise PatchRefused("its 'value' is empty.")
    built: dict[str, Any] = {}
    for one in inner:
        name = as_str(one.get("name"))
        value = _value({"value": one})
        built[name] = [value] if name in _REPEATING else value
    return built


def _single(places: list[_Place]) -> _Place:
    if len(places) != 1:
        raise PatchRefused("'path' must lead to one element.")
    return places[0]


def _list(places: list[_Place]) -> list[Any]:
    """The list whose members a path leads to."""
    holders = [holder for holder, _ in places]
    if not holders or not isinstance(holders[0], list) or any(h is not holders[0] for h in holders):
        raise PatchRefused("'path' must lead to a list.")
    found: list[Any] = holders[0]
    return found


def _number(parts: dict[str, Element], name: str, last: int) -> int:
    value = parts.get(name, {}).get("valueInteger")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= last:
        raise PatchRefused(f"'{name}' must be a place in the list.")
    return value


def _places(root: dict[str, Any], path: str) -> Iterator[_Place]:
    matches = list(_steps(path))
    first = matches[0]
    if first["name"] != root[""].get("resourceType") or first["call"] or first["where"]:
        raise PatchRefused("'path' begins with the resource's type, such as Task.status.")
    places: list[_Place] = [(root, "")]
    for match in matches[1:]:
        places = _stepped(places, match)
        if match["index"] is not None:
            places = places[int(match["index"]) :][:1]
    yield from places


def _steps(path: str) -> Iterator[re.Match[str]]:
    position = 0
    while True:
        match = _STEP.match(path, position)
        if match is None:
            raise PatchRefused("its 'path' is not one that can be written to.")
        yield match
        position = match.end()
        if position == len(path):
            return
        if path[position] != ".":
            raise PatchRefused("its 'path' is not one that can be written to.")
        position += 1


def _stepped(places: list[_Place], match: re.Match[str]) -> list[_Place]:
    name = match["name"]
    if match["call"]:
        if name == "first":
            return places[:1]
        if name == "last":
            return places[-1:]
        raise PatchRefused("only first(), last() and where() can be called in a 'path'.")
    if match["where"]:
        if name != "where":
            raise PatchRefused("only first(), last() and where() can be called in a 'path'.")
        return [
            (holder, key)
            for holder, key in places
            if as_dict(holder[key]).get(match["where"]) == match["text"]
        ]
    found: list[_Place] = []
    for holder, key in places:
        target = holder[key]
        if not isinstance(target, dict) or name not in target:
            continue
        value = target[name]
        found += (
            [(value, i) for i in range(len(value))] if isinstance(value, list) else [(target, name)]
        )
    return found


def _without_empty(value: Any) -> bool:
    """Take away what a deletion left empty (FHIR has no empty lists or elements); whether nothing
    is left of the value itself."""
    if isinstance(value, dict):
        for key in [k for k, inner in value.items() if k and _without_empty(inner)]:
            del value[key]
        for inner in value.values():
            _without_empty(inner)
    elif isinstance(value, list):
        value[:] = [inner for inner in value if not _without_empty(inner)]
    return isinstance(value, dict | list) and not value
