"""The entries of a Bundle at the base, each as a request of its own, and in which order they go."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from starlette.requests import Request

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import Element, as_str
from fhir_gateway.rest.conditions import http_date
from fhir_gateway.rest.problem import BAD_REQUEST, UNPROCESSABLE, Problem
from fhir_gateway.rest.registry import Call, Interaction
from fhir_gateway.rest.routing import Route

_URN = "urn:"
#: Elements of an entry's request that are headers of a request by itself.
_HEADERS = {
    "ifNoneMatch": b"if-none-match",
    "ifMatch": b"if-match",
    "ifNoneExist": b"if-none-exist",
    "ifModifiedSince": b"if-modified-since",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as a call of its own."""

    number: int
    call: Call
    route: Route
    full_url: str


def request_of(outer: Request, method: str, path: str, query: str, asked: Element) -> Request:
    """The entry as a request of its own: what conditions it has come from the entry alone."""
    dropped = {*_HEADERS.values(), b"content-type", b"content-length"}
    headers = [(name, value) for name, value in outer.scope["headers"] if name not in dropped]
    for element, name in _HEADERS.items():
        value = as_str(asked.get(element))
        if element == "ifModifiedSince":
            value = _as_header(value)
        if value:
            headers.append((name, value.encode("utf-8", "replace")))
    state = {k: v for k, v in outer.scope.get("state", {}).items() if k != "parameters"}
    base = outer.url.path.rstrip("/")
    return Request(
        {
            **outer.scope,
            "method": method,
            "path": f"{base}/{path}",
            "raw_path": None,
            "query_string": query.encode(),
            "headers": headers,
            "state": state,
        }
    )


def _as_header(moment: str) -> str:
    """The header of an instant, which is how Bundle.entry.request has it; '' for none."""
    try:
        return http_date(datetime.fromisoformat(moment))
    except (ValueError, OverflowError):
        return ""


def as_patch(call: Call) -> Call:
    """A patch within a Bundle: a Binary with JSON Patch, or Parameters with FHIRPath Patch."""
    resource = call.resource or {}
    if resource.get("resourceType") == "Binary":
        kind = as_str(resource.get("contentType"))
        try:
            body = base64.b64decode(as_str(resource.get("data")), validate=True)
        except (binascii.Error, ValueError):
            raise Problem(BAD_REQUEST, "value", "Binary.data is no base64.") from None
    else:
        kind, body = "application/fhir+json", fhir_json.dump(resource)
    scope = call.request.scope
    headers = [*scope["headers"], (b"content-type", kind.encode("ascii", "replace"))]
    return replace(call, body=body, resource=None, request=Request({**scope, "headers": headers}))


def in_order(writes: list[Entry]) -> Iterator[Entry]:
    """Creates before changes, and each after those that it refers to. Raises Problem for a
    circle."""
    waiting = sorted(writes, key=lambda e: e.call.interaction != Interaction.CREATE)
    made = {e.full_url for e in writes if e.full_url.startswith(_URN)}
    while waiting:
        open_ = {e.full_url for e in waiting} & made
        ready = next(
            (e for e in waiting if not (_references(e.call.resource) & open_ - {e.full_url})), None
        )
        if ready is None:
            text = "The entries refer to each other in a circle."
            raise Problem(UNPROCESSABLE, "processing", text)
        waiting.remove(ready)
        yield ready


def _references(value: Any) -> set[str]:
    """What a resource refers to by urn."""
    found: set[str] = set()
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            text = as_str(current.get("reference"))
            if text.startswith(_URN):
                found.add(text)
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)
    return found


def renamed(entry: Entry, names: Mapping[str, str]) -> Entry:
    """The entry with references to other entries as they will be. Raises Problem for one that leads
    to no entry."""
    resource = entry.call.resource
    if resource is None:
        return entry
    unknown = _references(resource) - names.keys() - {entry.full_url}
    if unknown:
        text = "A reference leads to no entry of this Bundle that is created before."
        raise Problem(UNPROCESSABLE, "not-found", text)
    return replace(entry, call=replace(entry.call, resource=_with_names(resource, names)))


def _with_names(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: names.get(inner, inner)
            if key == "reference" and isinstance(inner, str)
            else _with_names(inner, names)
            for key, inner in value.items()
        }
    return [_with_names(inner, names) for inner in value] if isinstance(value, list) else value
