"""Entries of a batch-response or transaction-response, and what GET entries ask for."""

from __future__ import annotations

from collections.abc import Sequence

from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.sandbox.epr import interactions, search, searchset
from fhir_gateway.sandbox.epr.entries import Entry
from fhir_gateway.sandbox.epr.faults import Fault
from fhir_gateway.sandbox.epr.interactions import Done
from fhir_gateway.sandbox.epr.query import read_query
from fhir_gateway.sandbox.epr.session import Session, Version

_HISTORY_SEGMENTS = 3


def bundle(kind: str, entries: Sequence[Element]) -> Resource:
    """The Bundle of all answers, in the order of the entries that were sent."""
    whole: Resource = {"resourceType": "Bundle", "type": kind}
    return {**whole, "entry": list(entries)} if entries else whole


def done(result: Done, *, representation: bool) -> Element:
    """The answer to a create or update."""
    version = result.version
    response = {**_versioned(result.status, version), "location": version.location}
    entry: Element = {"response": response}
    return {"resource": version.resource, **entry} if representation else entry


def deleted() -> Element:
    """The answer to a delete."""
    return {"response": {"status": searchset.status_line(204)}}


def failed(error: Fault) -> Element:
    """The answer of a batch to an entry that was not carried out."""
    return {
        "response": {"status": searchset.status_line(error.status), "outcome": error.resource()}
    }


def get(session: Session, entry: Entry, base: str) -> Element:
    """The answer to a read, vread, history or search. Raises Fault as these do by themselves."""
    if len(entry.segments) == 1:
        query = read_query(entry.segments[0], entry.parameters, strict=False, base=base)
        return _answer(searchset.searchset(search.run(session, query), base))
    if len(entry.segments) == _HISTORY_SEGMENTS:
        return _answer(searchset.history(interactions.versions(session, entry.key), base))
    version = (
        interactions.vread(session, entry.key, entry.segments[3])
        if len(entry.segments) > _HISTORY_SEGMENTS
        else interactions.read(session, entry.key)
    )
    return {"resource": version.resource, "response": _versioned(200, version)}


def _answer(bundle: Resource) -> Element:
    return {"resource": bundle, "response": {"status": searchset.status_line(200)}}


def _versioned(status: int, version: Version) -> Element:
    return {
        "status": searchset.status_line(status),
        "etag": version.etag,
        "lastModified": version.at,
    }
