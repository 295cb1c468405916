"""The structure of a template: elements it cannot have, must have, and codes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_gateway.fhir.elements import ElementInfo, choices, elements
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str, extensions
from fhir_gateway.mapping.extensions import EXTRACT_VALUE
from fhir_gateway.questionnaire.definition import Definition

_MORE = "+"  # a list of codes that goes on


def structure(template: Resource, known: list[Definition]) -> Iterator[tuple[str, str, str]]:
    """Severity, place and text of each mistake in a template's structure."""
    name = as_str(template.get("id"))
    resource_type = as_str(template.get("resourceType"))
    if not elements(resource_type):
        yield "error", name, f"'{resource_type}' is no resource type"
        return
    content = {key: value for key, value in template.items() if key not in ("id", "resourceType")}
    yield from _element(content, resource_type, name, known)


def _element(
    element: Element, type_name: str, place: str, known: list[Definition]
) -> Iterator[tuple[str, str, str]]:
    allowed = elements(type_name)
    if extensions(element, EXTRACT_VALUE):
        return  # the value brings what is needed
    given = {key.removeprefix("_") for key in element}
    for key in sorted(given - allowed.keys() - {"resourceType"}):
        yield "error", f"{place}.{key}", f"{type_name} has no such element"
    for info in allowed.values():
        if info.required and not _is_set(info, given, type_name):
            yield "error", place, f"{type_name}.{info.name} is required and never set"
    for key, value in element.items():
        if key in allowed and key != "extension":
            yield from _values(value, allowed[key], f"{place}.{key}", known)


def _values(
    value: Any, info: ElementInfo, place: str, known: list[Definition]
) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, list) != info.is_list:
        shape = "is a list" if info.is_list else "is not a list"
        yield "error", place, f"the element {shape}"
    for part in value if isinstance(value, list) else [value]:
        if isinstance(part, dict) and info.type not in ("Resource", "Extension"):
            yield from _element(part, info.type, place, known)
            yield from _coding(part, place, known)
        elif isinstance(part, dict) and info.type == "Resource":
            yield from _element(part, as_str(part.get("resourceType")), place, known)
        elif isinstance(part, str) and _is_unknown(part, info):
            yield "error", place, f"'{part}' is none of {', '.join(info.codes)}"


def _coding(
    element: Element, place: str, known: list[Definition]
) -> Iterator[tuple[str, str, str]]:
    """A fixed code of a code system that is at hand."""
    system, code = as_str(element.get("system")), as_str(element.get("code"))
    if not system or not code:
        return
    listed = next((d.registry.resolve(system) for d in known), None)
    codes = {as_str(as_dict(c).get("code")) for c in as_list(as_dict(listed).get("concept"))}
    if codes and code not in codes:
        yield "error", place, f"'{code}' is no code of {system}"


def _is_unknown(code: str, info: ElementInfo) -> bool:
    return bool(info.codes) and _MORE not in info.codes and code not in info.codes


def _is_set(info: ElementInfo, given: set[str], type_name: str) -> bool:
    if not info.choice:
        return info.name in given
    return any(each.name in given for each in choices(type_name, info.choice).values())
