"""Entries of the transaction: address, method and conditions of what an extraction made.

The parts of a templateExtract or definitionExtract extension (`fullUrl`, `resourceId`,
`ifNoneMatch`, `ifModifiedSince`, `ifMatch`, `ifNoneExist`) are FHIRPath, as SDC 4.0 says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fhir_gateway.fhir import path
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.mapping import patch
from fhir_gateway.mapping.extensions import PATCH_URL
from fhir_gateway.mapping.scope import Scope, fhirpath_of

CONDITIONS = ("ifNoneMatch", "ifModifiedSince", "ifMatch", "ifNoneExist")
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_TARGET = re.compile(r"[A-Z][A-Za-z]*(/[A-Za-z0-9\-.]{1,64}|\?[^\s#]+)")


@dataclass(frozen=True, slots=True)
class RequestParts:
    """What an extension says about the entry, besides what it is made from."""

    parts: Mapping[str, Element]

    @classmethod
    def of(cls, extension: Element) -> RequestParts:
        """Read the parts of an extension."""
        nested = map(as_dict, as_list(extension.get("extension")))
        return cls({as_str(part.get("url")): part for part in nested})

    def value(self, name: str) -> object:
        """The value[x] of a part, or None."""
        for key, value in self.parts.get(name, {}).items():
            if key.startswith("value"):
                return value
        return None

    def evaluate(self, name: str, scope: Scope, place: str) -> str:
        """The text that a part's FHIRPath gives; empty for no part or no result."""
        expression, _, other = fhirpath_of(self.value(name))
        if not expression:
            return ""
        if other:
            scope.ledger.note("error", "not-supported", f"{name} in '{other}'", place)
            return ""
        found = scope.evaluate(expression, f"{place}.{name}")
        value = path.plain(found[0]) if found else ""
        return "" if isinstance(value, dict | list | None) else str(value)


def entry(
    resource: Resource, parts: RequestParts, scope: Scope, full_url: str, place: str
) -> Element | None:
    """The entry of a made resource; None, with an issue, when its request cannot be made.

    `full_url`: for when the author gives none.
    """
    if patch.is_patch(resource):
        return _patch_entry(resource, parts, scope, full_url, place)
    resource_type = as_str(resource.get("resourceType"))
    request: Element = {"method": "POST", "url": resource_type}
    given_id = parts.evaluate("resourceId", scope, place)
    if given_id:
        if not _ID.fullmatch(given_id):
            # It would not say which resource; creating another one instead would be worse.
            scope.ledger.note("error", "value", "resourceId gave no FHIR id; left out", place)
            return None
        resource = {"resourceType": resource_type, **resource, "id": given_id}
        request = {"method": "PUT", "url": f"{resource_type}/{given_id}"}
    _conditions(request, parts, scope, place)
    full_url = parts.evaluate("fullUrl", scope, place) or full_url
    return {"fullUrl": full_url, "resource": resource, "request": request}


def _patch_entry(
    resource: Resource, parts: RequestParts, scope: Scope, full_url: str, place: str
) -> Element | None:
    kept = patch.with_values(resource)
    if kept is None:
        return None
    target = parts.evaluate(PATCH_URL, scope, place)
    if not _TARGET.fullmatch(target):
        scope.ledger.note("error", "value", "a patch without the resource it is for", place)
        return None
    request: Element = {"method": "PATCH", "url": target}
    _conditions(request, parts, scope, place)
    return {"fullUrl": full_url, "resource": kept, "request": request}


def _conditions(request: Element, parts: RequestParts, scope: Scope, place: str) -> None:
    for name in CONDITIONS:
        value = parts.evaluate(name, scope, place)
        if value:
            request[name] = value
