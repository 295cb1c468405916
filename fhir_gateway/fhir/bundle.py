"""Building and reading Bundles. https://hl7.org/fhir/R4/bundle.html"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list


def post_entry(full_url: str, resource: Resource, *, if_none_exist: str | None = None) -> Element:
    """An entry of a transaction that creates `resource`."""
    request: Element = {"method": "POST", "url": resource["resourceType"]}
    if if_none_exist:
        request["ifNoneExist"] = if_none_exist
    return {"fullUrl": full_url, "resource": resource, "request": request}


def transaction(entries: Iterable[Element]) -> Resource:
    """A transaction Bundle of these entries; without `entry` when there are none, because no array
    of FHIR JSON is empty."""
    listed = list(entries)
    bundle: Resource = {"resourceType": "Bundle", "type": "transaction"}
    return {**bundle, "entry": listed} if listed else bundle


def resources(bundle: Resource, resource_type: str | None = None) -> Iterator[Resource]:
    """The resources of a Bundle, in order, of one type or of all."""
    for entry in map(as_dict, as_list(bundle.get("entry"))):
        resource = entry.get("resource")
        if isinstance(resource, dict) and resource_type in (None, resource.get("resourceType")):
            yield resource


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Every object within a JSON value, parents before children."""
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            yield current
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)


def references(value: Any) -> Iterator[dict[str, Any]]:
    """Every Reference element within a JSON value that has a `reference`."""
    for element in walk(value):
        if isinstance(element.get("reference"), str):
            yield element


def derived_urn(namespace: uuid.UUID, name: str) -> str:
    """A `urn:uuid:` that is the same each time for the same request and name (uuid5).

    So a bundle that is mapped again, after a crash, names the same resources.
    """
    return f"urn:uuid:{uuid.uuid5(namespace, name)}"
