"""A page of a search as a Bundle. https://hl7.org/fhir/R4/bundle.html#searchset"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from fhir_gateway.fhir.outcome import issue, outcome
from fhir_gateway.fhir.search.query import Query
from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.rest.cursor import NAME, Cursor
from fhir_gateway.store.resources import Stored
from fhir_gateway.store.search import Page


@dataclass(frozen=True, slots=True)
class Result:
    """What was found. `whole`: whether all that was to be included is there."""

    query: Query
    page: Page
    included: list[Stored]
    whole: bool


def bundle(
    result: Result,
    cursor: Cursor,
    *,
    base_url: str,
    shown: Callable[[str], bool],
    seal: Callable[[Cursor], str],
) -> Resource:
    """The Bundle. `cursor`: this page, with the parameters that were understood. `shown`: whether
    resources of a type may come along. Links never show what was searched for about a person."""
    query = result.query
    address = f"{base_url}/{query.resource_type}"

    def link(relation: str, page: Cursor) -> Element:
        if page.after is None and not query.personal:
            parameters = urlencode(list(page.pairs))
            return {
                "relation": relation,
                "url": f"{address}?{parameters}" if parameters else address,
            }
        return {"relation": relation, "url": f"{address}?{urlencode({NAME: seal(page)})}"}

    links = [link("self", cursor)]
    after = result.page.after
    if cursor.after is not None or after is not None:
        links.append(link("first", replace(cursor, after=None)))
    if after is not None:
        links.append(link("next", replace(cursor, after=after)))
    found: Resource = {"resourceType": "Bundle", "type": "searchset"}
    if result.page.total is not None:
        found["total"] = result.page.total
    found["link"] = links
    entries = [entry(stored, base_url, "match") for stored in result.page.matches]
    entries += [entry(s, base_url, "include") for s in result.included if shown(s.type)]
    warnings = _warnings(result)
    if warnings and query.count:
        entries.append({"resource": outcome(warnings), "search": {"mode": "outcome"}})
    return {**found, "entry": entries} if entries else found


def entry(stored: Stored, base_url: str, mode: str) -> Element:
    """One match or include."""
    return {
        "fullUrl": f"{base_url}/{stored.type}/{stored.id}",
        "resource": stored.resource,
        "search": {"mode": mode},
    }


def _warnings(result: Result) -> list[Element]:
    found = [issue("warning", "not-supported", text) for text in result.query.warnings]
    if not result.whole:
        found.append(
            issue("warning", "too-costly", "Not all that was to be included is here: ask for less.")
        )
    return found
