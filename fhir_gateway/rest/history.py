"""Versions of a resource or of a type as a Bundle. https://hl7.org/fhir/R4/http.html#history"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from fhir_gateway.fhir.moments import instant, span
from fhir_gateway.fhir.search.reading import DEFAULT_COUNT, MAX_COUNT
from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.rest import cursor as cursors
from fhir_gateway.rest.conditions import etag
from fhir_gateway.rest.cursor import Cursor
from fhir_gateway.rest.problem import BAD_REQUEST, Problem, not_found
from fhir_gateway.rest.registry import Call
from fhir_gateway.store import resource_links
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.resources import Stored, Visible
from fhir_gateway.store.search import Position

_STATUS = {"POST": "201 Created", "PUT": "200 OK", "DELETE": "204 No Content"}


def page(tx: Transaction, call: Call, visible: Visible, *, now: datetime) -> Resource:
    """One page of a history. Raises Problem: 404 for a resource that is not there, 400 for a bad
    `_count` or `_since`."""
    place = "/".join(part for part in (call.resource_type, call.id, "_history") if part)
    cursor = Cursor(place, call.access.client_id, tuple(call.parameters))
    words = [value for name, value in call.parameters if name == cursors.NAME]
    if words:
        cursor = cursors.opened(
            words[0], tx.sealer, at=place, client_id=call.access.client_id, now=now
        )
    asked = dict(cursor.pairs)
    count = _count(asked.get("_count", ""))
    found = resource_links.versions(
        tx,
        call.resource_type,
        visible,
        resource_id=call.id or None,
        since=_since(asked.get("_since", "")),
        before=_before(cursor.after),
        limit=count + 1,
    )
    if call.id and not found and not cursor.after and "_since" not in asked:
        raise not_found(call.resource_type)
    address = f"{call.base_url}/{place}"
    links = [{"relation": "self", "url": _url(address, call.parameters)}]
    more = len(found) > count > 0
    if more or cursor.after is not None:
        links.append({"relation": "first", "url": _url(address, cursor.pairs)})
    if more:
        last = found[count - 1]
        after = Position((last.at.isoformat(), str(last.version)), last.sequence)
        following = Cursor(place, cursor.client_id, cursor.pairs, after)
        word = cursors.sealed(following, tx.sealer, now=now)
        links.append({"relation": "next", "url": _url(address, [(cursors.NAME, word)])})
    bundle: Resource = {"resourceType": "Bundle", "type": "history"}
    if "_since" not in asked:
        bundle["total"] = resource_links.count_versions(
            tx, call.resource_type, visible, call.id or None
        )
    bundle["link"] = links
    entries = [_entry(stored, call.base_url) for stored in found[:count]]
    return {**bundle, "entry": entries} if entries else bundle


def _url(address: str, parameters: object) -> str:
    query = urlencode(parameters)  # type: ignore[arg-type]
    return f"{address}?{query}" if query else address


def _count(text: str) -> int:
    if not text:
        return DEFAULT_COUNT
    if not text.isdecimal() or not text.isascii() or len(text) > 9:  # noqa: PLR2004
        raise Problem(BAD_REQUEST, "value", "'_count' must be a whole number.")
    return min(int(text), MAX_COUNT)


def _since(text: str) -> datetime | None:
    if not text:
        return None
    # A plus sign that was not encoded arrives as a space.
    found = span(text.replace(" ", "+"))
    if found is None:
        raise Problem(BAD_REQUEST, "value", "'_since' must be a FHIR instant.")
    return datetime.fromisoformat(found.low)


def _before(after: Position | None) -> tuple[datetime, int, int] | None:
    if after is None:
        return None
    at, version = after.keys
    return datetime.fromisoformat(at), after.sequence, int(version)


def _entry(stored: Stored, base_url: str) -> Element:
    address = f"{stored.type}/{stored.id}"
    entry: Element = {"fullUrl": f"{base_url}/{address}"}
    if stored.resource is not None:
        entry["resource"] = stored.resource
    url = stored.type if stored.method == "POST" else address
    entry["request"] = {"method": stored.method, "url": url}
    entry["response"] = {
        "status": _STATUS[stored.method],
        "etag": etag(str(stored.version)),
        "lastModified": instant(stored.at),
    }
    return entry
