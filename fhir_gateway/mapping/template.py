"""Filling a template: plain FHIR JSON whose extensions say what goes where.

SDC 4.0: a context expression first (no result: the element goes; n results: n copies, each with a
result as context), then a value expression on the same element, then the children. Only the
template's expressions are evaluated, never a result: an answer that looks like FHIRPath stays
text. Results keep their FHIR type as context of further expressions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_gateway.fhir import path
from fhir_gateway.fhir.types import Element, as_dict, as_list, extension_value
from fhir_gateway.mapping.extensions import EXTRACT_CONTEXT, EXTRACT_VALUE
from fhir_gateway.mapping.scope import Scope, fhirpath_of

_OURS = frozenset({EXTRACT_CONTEXT, EXTRACT_VALUE})
MAX_DEPTH = 60


def fill(template: Element, scope: Scope, place: str, depth: int = 0) -> list[Element]:
    """The copies of a template element, each filled. `place` names it in issues."""
    if depth > MAX_DEPTH:
        scope.ledger.note("error", "too-costly", f"nested deeper than {MAX_DEPTH}", place)
        return []
    result: list[Element] = []
    for copy in copies(template, scope, place):
        written = _children(template, copy, place, depth)
        expression = _value_expression(template, copy, place)
        if expression is None:
            result.extend([written] if written else [])
            continue
        for node in copy.copies(expression, place):
            value = path.plain(node)
            if isinstance(value, dict) and value:
                # What the template says besides stays, where the value does not say otherwise.
                result.append({**written, **value})
            elif not isinstance(value, dict):
                _misplaced(result, written, value, copy, place)
    return result


def _misplaced(result: list[Any], written: Element, value: Any, scope: Scope, place: str) -> None:
    """A primitive for a whole element: it stands as the author put it (the HL7 example does so with
    Observation.subject), unless that would lose what the template says besides."""
    if written or isinstance(value, list) or value in (None, ""):
        scope.ledger.note("error", "processing", "a structure got a primitive value", place)
        return
    text = "a primitive value stands for the whole element; did you mean a property of it?"
    scope.ledger.note("warning", "value", text, place)
    result.append(value)


def copies(element: Any, scope: Scope, place: str) -> Iterator[Scope]:
    """A scope for each copy that the element's context expression asks for."""
    given = extension_value(element, EXTRACT_CONTEXT)
    if given is None:
        yield scope
        return
    expression, name, other = fhirpath_of(given)
    if other or not expression:
        scope.ledger.note("error", "not-supported", f"a context in '{other}'", place)
        return
    for node in scope.copies(expression, place):
        yield scope.inner(node, name)


def _value_expression(element: Any, scope: Scope, place: str) -> str | None:
    given = extension_value(element, EXTRACT_VALUE)
    if given is None:
        return None
    expression, _, other = fhirpath_of(given)
    if other or not expression:
        scope.ledger.note("error", "not-supported", f"a value in '{other}'", place)
        return "{}"
    return expression


def _children(template: Element, scope: Scope, place: str, depth: int) -> Element:
    result: Element = {}
    for key, value in template.items():
        if key == "extension":
            kept = _list(_not_ours(value), [], scope, f"{place}.extension", depth)
            if kept:
                result["extension"] = kept[0]
        elif key.startswith("_"):
            if key[1:] not in template:
                result.update(_property(key[1:], None, value, scope, place, depth))
        else:
            sibling = template.get(f"_{key}")
            result.update(_property(key, value, sibling, scope, place, depth))
    return result


def _property(key: str, value: Any, sibling: Any, scope: Scope, place: str, depth: int) -> Element:
    """One property: its value and, for primitives, the `_` sibling with their extensions."""
    here = f"{place}.{key}"
    if isinstance(value, list) or isinstance(sibling, list):
        filled = _list(as_list(value), as_list(sibling), scope, here, depth)
        if not filled:
            return {}
        values, siblings = filled
        return {key: values, **({f"_{key}": siblings} if any(siblings) else {})}
    if isinstance(value, dict):
        return _single(key, fill(value, scope, here, depth + 1), scope, here)
    found = list(_primitive(value, sibling, scope, here))
    if not found:
        return {}
    _warn_of_more(found, scope, here)
    primitive, extras = found[0]
    result: Element = {} if primitive is None else {key: primitive}
    return {**result, **({f"_{key}": extras} if extras else {})}


def _single(key: str, found: list[Element], scope: Scope, place: str) -> Element:
    _warn_of_more(found, scope, place)
    return {key: found[0]} if found else {}


def _warn_of_more(found: list[Any], scope: Scope, place: str) -> None:
    if len(found) > 1:
        text = f"{len(found)} results for an element that is not a list; the first is taken"
        scope.ledger.note("warning", "multiple-matches", text, place)


def _list(
    values: list[Any], siblings: list[Any], scope: Scope, place: str, depth: int
) -> tuple[list[Any], list[Any]] | None:
    """The entries of a list, each 0 to n times; and their siblings, None where there is none."""
    result: list[Any] = []
    extras: list[Any] = []
    for index in range(max(len(values), len(siblings))):
        value = values[index] if index < len(values) else None
        sibling = siblings[index] if index < len(siblings) else None
        here = f"{place}[{index}]"
        if isinstance(value, dict):
            filled = fill(value, scope, here, depth + 1)
            result.extend(filled)
            extras.extend(None for _ in filled)
        else:
            for primitive, extra in _primitive(value, sibling, scope, here):
                result.append(primitive)
                extras.append(extra)
    return (result, extras) if result else None


def _primitive(
    value: Any, sibling: Any, scope: Scope, place: str
) -> Iterator[tuple[Any, Element | None]]:
    """The copies of a primitive, each with what is left of its `_` sibling."""
    kept = _sibling(sibling)
    for copy in copies(sibling, scope, place):
        expression = _value_expression(sibling, copy, place)
        if expression is None:
            if value is not None or kept:
                yield value, kept
            continue
        for node in copy.copies(expression, place):
            found = path.plain(node)
            if isinstance(found, dict | list):
                copy.ledger.note("error", "processing", "a primitive got a structure", place)
            elif found is not None and found != "":
                yield found, kept


def _sibling(sibling: Any) -> Element | None:
    """A primitive's `_` sibling without the extensions of extraction; None when nothing is left."""
    rest = {key: value for key, value in as_dict(sibling).items() if key != "extension"}
    kept = _not_ours(as_dict(sibling).get("extension"))
    if kept:
        rest["extension"] = kept
    return rest or None


def _not_ours(extensions: Any) -> list[Any]:
    return [e for e in as_list(extensions) if as_dict(e).get("url") not in _OURS]
