"""Filling a template: plain FHIR JSON whose extensions say what goes where.

SDC 4.0: a context expression first (no result: the element goes; n results: n copies, each with a
result as context), then a value expression on the same element, then the children. Only the
template's expressions are evaluated, never a result: an answer that looks like FHIRPath stays
text. Results keep their FHIR type as context of further expressions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fhir_gateway.fhir import path
from fhir_gateway.fhir.outcome import issue
from fhir_gateway.fhir.types import Element, as_dict, as_list, as_str, extension_value
from fhir_gateway.mapping.extensions import EXTRACT_CONTEXT, EXTRACT_VALUE

_OURS = frozenset({EXTRACT_CONTEXT, EXTRACT_VALUE})
MAX_COPIES = 1_000


@dataclass(frozen=True, slots=True)
class Scope:
    """Where expressions are evaluated: context node, variables, clock, and where issues go."""

    context: Any
    variables: Mapping[str, Any]
    now: datetime | None
    issues: list[Element] = field(default_factory=list)

    def inner(self, context: Any, name: str = "") -> Scope:
        """The scope of a copy: its context, and that under a name when the author gave one."""
        variables = {**self.variables, name: context} if name else self.variables
        return Scope(context, variables, self.now, self.issues)

    def evaluate(self, expression: str, place: str) -> list[Any]:
        """Results of an expression; when it fails an issue is noted and there are none."""
        try:
            return path.evaluate(expression, self.context, self.variables, now=self.now)
        except path.PathRefused as error:
            self.issues.append(issue("error", "processing", f"{place}: {error}"))
            return []


def fill(template: Element, scope: Scope, place: str) -> list[Element]:
    """The copies of a template element, each filled. `place` names it in issues."""
    copies: list[Element] = []
    for copy in _copies(template, scope, place):
        expression = as_str(extension_value(template, EXTRACT_VALUE))
        if expression:
            found = [path.plain(n) for n in copy.evaluate(expression, place)]
            copies.extend(value for value in found if isinstance(value, dict) and value)
            continue
        filled = _fill_children(template, copy, place)
        if filled:
            copies.append(filled)
    return copies


def _copies(element: Any, scope: Scope, place: str) -> Iterator[Scope]:
    """A scope for each copy that the element's context expression asks for."""
    given = extension_value(element, EXTRACT_CONTEXT)
    if given is None:
        yield scope
        return
    expression = as_str(given) or as_str(as_dict(given).get("expression"))
    name = as_str(as_dict(given).get("name"))
    for node in scope.evaluate(expression, place)[:MAX_COPIES]:
        yield scope.inner(node, name)


def _fill_children(template: Element, scope: Scope, place: str) -> Element:
    result: Element = {}
    for key, value in template.items():
        if key == "extension":
            kept = _fill_list(_not_ours(value), [], scope, f"{place}.extension")
            if kept:
                result["extension"] = kept[0]
        elif key.startswith("_"):
            if key[1:] not in template:
                result.update(_fill_property(key[1:], None, value, scope, place))
        else:
            result.update(_fill_property(key, value, template.get(f"_{key}"), scope, place))
    return result


def _fill_property(key: str, value: Any, sibling: Any, scope: Scope, place: str) -> Element:
    """One property: its value and, for primitives, the `_` sibling with their extensions."""
    here = f"{place}.{key}"
    if isinstance(value, list) or isinstance(sibling, list):
        filled = _fill_list(as_list(value), as_list(sibling), scope, here)
        if not filled:
            return {}
        values, siblings = filled
        return {key: values, **({f"_{key}": siblings} if any(siblings) else {})}
    if isinstance(value, dict):
        copies = fill(value, scope, here)
        return {key: copies[0]} if copies else {}
    first = next(iter(_fill_primitive(value, sibling, scope, here)), None)
    if first is None:
        return {}
    primitive, extras = first
    result: Element = {} if primitive is None else {key: primitive}
    return {**result, **({f"_{key}": extras} if extras else {})}


def _fill_list(
    values: list[Any], siblings: list[Any], scope: Scope, place: str
) -> tuple[list[Any], list[Any]] | None:
    """The entries of a list, each 0 to n times; and their siblings, None where there is none."""
    result: list[Any] = []
    extras: list[Any] = []
    for index in range(max(len(values), len(siblings))):
        value = values[index] if index < len(values) else None
        sibling = siblings[index] if index < len(siblings) else None
        here = f"{place}[{index}]"
        if isinstance(value, dict):
            copies = fill(value, scope, here)
            result.extend(copies)
            extras.extend(None for _ in copies)
        else:
            for primitive, extra in _fill_primitive(value, sibling, scope, here):
                result.append(primitive)
                extras.append(extra)
    return (result, extras) if result else None


def _fill_primitive(
    value: Any, sibling: Any, scope: Scope, place: str
) -> Iterator[tuple[Any, Element | None]]:
    """The copies of a primitive, each with what is left of its `_` sibling."""
    kept = _not_ours(as_dict(sibling).get("extension"))
    for copy in _copies(sibling, scope, place):
        extra = {"extension": kept} if kept else None
        expression = as_str(extension_value(sibling, EXTRACT_VALUE))
        if not expression:
            if value is not None or extra:
                yield value, extra
            continue
        for node in copy.evaluate(expression, place)[:MAX_COPIES]:
            found = path.plain(node)
            if isinstance(found, dict | list):
                scope.issues.append(
                    issue("error", "processing", f"{place}: a primitive got a structure")
                )
            elif found not in (None, ""):
                yield found, extra


def _not_ours(extensions: Any) -> list[Any]:
    return [e for e in as_list(extensions) if as_dict(e).get("url") not in _OURS]
