"""Bundles that answer: a page of a search, and the history of a resource."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import urlencode

from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.sandbox.epr.search import Page
from fhir_gateway.sandbox.epr.session import Version


def searchset(page: Page, base: str) -> Resource:
    """A page as a Bundle, with links to itself as understood, and to its neighbours."""
    query = page.query
    here = [(name, value) for name, value in query.used if name not in ("_count", "_offset")]
    asked = [(name, value) for name, value in query.used if name in ("_count", "_offset")]
    address = f"{base}/{query.resource_type}"
    links = [_link("self", address, [*here, *asked])]

    def neighbour(relation: str, offset: int) -> None:
        paging = [("_count", str(query.count)), ("_offset", str(offset))]
        links.append(_link(relation, address, [*here, *paging]))

    if query.count and page.total > query.count:
        neighbour("first", 0)
        if query.offset:
            neighbour("previous", max(query.offset - query.count, 0))
        if query.offset + query.count < page.total:
            neighbour("next", query.offset + query.count)
        neighbour("last", (page.total - 1) // query.count * query.count)
    entries = [_entry(version, base, "match") for version in page.matches]
    entries += [_entry(version, base, "include") for version in page.included]
    bundle: Resource = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": page.total,
        "link": links,
    }
    return {**bundle, "entry": entries} if entries else bundle


def history(versions: Sequence[Version], base: str) -> Resource:
    """All versions of one resource, newest first (https://hl7.org/fhir/R4/http.html#history)."""
    return {
        "resourceType": "Bundle",
        "type": "history",
        "total": len(versions),
        "link": [_link("self", f"{base}/{versions[0].key}/_history", [])],
        "entry": [_version_entry(version, base) for version in versions],
    }


def status_line(status: int) -> str:
    """`201 Created`: how a Bundle says an HTTP status."""
    return f"{status} {HTTPStatus(status).phrase}"


def _entry(version: Version, base: str, mode: str) -> Element:
    return {
        "fullUrl": f"{base}/{version.key}",
        "resource": version.resource,
        "search": {"mode": mode},
    }


def _version_entry(version: Version, base: str) -> Element:
    status = HTTPStatus.CREATED if version.number == 1 else HTTPStatus.OK
    if version.resource is None:
        status = HTTPStatus.NO_CONTENT
    url = version.key.type if version.method == "POST" else str(version.key)
    entry: Element = {"fullUrl": f"{base}/{version.key}"}
    if version.resource is not None:
        entry["resource"] = version.resource
    entry["request"] = {"method": version.method, "url": url}
    entry["response"] = {
        "status": status_line(status),
        "etag": version.etag,
        "lastModified": version.at,
    }
    return entry


def _link(relation: str, address: str, parameters: Sequence[tuple[str, str]]) -> Element:
    query = f"?{urlencode(parameters)}" if parameters else ""
    return {"relation": relation, "url": f"{address}{query}"}
