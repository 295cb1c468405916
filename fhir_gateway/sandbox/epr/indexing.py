"""What a resource is found by: the rows of the search index, and the links to other resources."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

from fhir_gateway.fhir.search.parameter import Kind, Parameter
from fhir_gateway.fhir.search.values import identifier_of
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str
from fhir_gateway.sandbox.epr import moments
from fhir_gateway.sandbox.epr.parameters import TYPES
from fhir_gateway.sandbox.epr.references import local_key


class Row(NamedTuple):
    """One value of one parameter. `low` and `high` only for dates: from, and until (excluded).

    `system`: of a token its system, of a reference the target's type, of a canonical its version.
    """

    parameter: str
    system: str = ""
    value: str = ""
    low: str = ""
    high: str = ""


def rows(resource: Resource) -> Iterator[Row]:
    """The index rows of a resource of a known type, each once."""
    seen = set()
    for parameter in TYPES[resource["resourceType"]].values():
        for path in parameter.paths:
            for element in _elements(resource, path.split(".")):
                for row in _rows_of(parameter, element):
                    if row not in seen:
                        seen.add(row)
                        yield row


def fold(text: str) -> str:
    """Text without case and accents, as R4 asks for string parameters."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold().strip()


def _elements(value: Any, path: list[str]) -> list[Any]:
    """The elements at a path, lists taken apart."""
    if isinstance(value, list):
        return [found for part in value for found in _elements(part, path)]
    if not path:
        return [value]
    child = as_dict(value).get(path[0])
    return [] if child is None else _elements(child, path[1:])


def _rows_of(parameter: Parameter, element: Any) -> Iterator[Row]:
    match parameter.kind:
        case Kind.TOKEN:
            yield from _token_rows(parameter.name, element)
        case Kind.STRING:
            for text in _texts(element):
                yield Row(parameter.name, value=fold(text))
        case Kind.DATE:
            span = moments.span(as_str(element))
            if span:
                yield Row(parameter.name, low=span.low, high=span.high)
        case Kind.REFERENCE:
            yield from _reference_rows(parameter, as_dict(element))
        case Kind.CANONICAL:
            url, _, version = as_str(element).partition("|")
            yield Row(parameter.name, version, url)


def _token_rows(name: str, element: Any) -> Iterator[Row]:
    """Of a code, boolean, Coding, CodeableConcept or Identifier."""
    if isinstance(element, bool):
        yield Row(name, value="true" if element else "false")
    elif isinstance(element, str):
        yield Row(name, value=element)
    elif isinstance(element, dict):
        for coding in map(as_dict, as_list(element.get("coding"))):
            yield Row(name, as_str(coding.get("system")), as_str(coding.get("code")))
        value = as_str(element.get("code")) or as_str(element.get("value"))
        if value:
            yield Row(name, as_str(element.get("system")), value)


def _texts(element: Any) -> Iterator[str]:
    """A string, or all parts of a HumanName that a person may be looked up by."""
    if isinstance(element, str):
        yield element
    for key in ("text", "family", "given", "prefix", "suffix"):
        value = as_dict(element).get(key)
        yield from (part for part in [value, *as_list(value)] if isinstance(part, str))


def _reference_rows(parameter: Parameter, reference: dict[str, Any]) -> Iterator[Row]:
    literal = as_str(reference.get("reference"))
    target = local_key(literal)
    if target is None and literal and not parameter.targets:
        yield Row(parameter.name, value=literal)
    if target and (not parameter.targets or target.type in parameter.targets):
        yield Row(parameter.name, target.type, target.id)
    yield from _token_rows(identifier_of(parameter.name), reference.get("identifier"))
