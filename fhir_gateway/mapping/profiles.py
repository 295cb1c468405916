"""Which resource type a definition means, and what its profile fixes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fhir_gateway.fhir.elements import is_resource
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str

BASE = "http://hl7.org/fhir/StructureDefinition/"


def profile_type(canonical: str, questionnaire: Resource, resources: Iterable[Resource]) -> str:
    """The resource type of a type name, a base definition or a profile; '' when not known.

    A profile that is not at hand is taken to be of the type that the paths of definitions with its
    canonical begin with.
    """
    url = canonical.partition("|")[0]
    name = url.removeprefix(BASE)
    if is_resource(name):
        return name
    for resource in resources:
        if resource.get("resourceType") == "StructureDefinition" and resource.get("url") == url:
            found = as_str(resource.get("type"))
            return found if is_resource(found) else ""
    for definition in _definitions(questionnaire):
        prefix, _, element_path = definition.partition("#")
        first = element_path.partition(".")[0]
        if prefix.partition("|")[0] == url and is_resource(first):
            return first
    return ""


def fixed(canonical: str, resources: Iterable[Resource]) -> Iterator[tuple[str, Any, str]]:
    """Path, value and type of what a profile fixes on elements that are not slices."""
    url = canonical.partition("|")[0]
    for resource in resources:
        if resource.get("resourceType") != "StructureDefinition" or resource.get("url") != url:
            continue
        listed = as_dict(resource.get("snapshot") or resource.get("differential"))
        for element in map(as_dict, as_list(listed.get("element"))):
            if ":" in as_str(element.get("id")):
                continue
            for key, value in element.items():
                for kind in ("fixed", "pattern"):
                    if key.startswith(kind) and key[len(kind) :][:1].isupper():
                        yield as_str(element.get("path")), value, key[len(kind) :]


def _definitions(questionnaire: Resource) -> Iterator[str]:
    pending: list[Any] = [questionnaire]
    while pending:
        element: Element = as_dict(pending.pop())
        if as_str(element.get("definition")):
            yield element["definition"]
        pending.extend(as_list(element.get("item")))
