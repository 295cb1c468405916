"""Whole answers of the API, before they become HTTP: status, content type, headers, body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fhir_gateway.fhir.outcome import outcome
from fhir_gateway.fhir.types import Resource
from fhir_gateway.sandbox.pds.faults import FHIR_JSON, Fault
from fhir_gateway.sandbox.pds.population import Population
from fhir_gateway.sandbox.pds.published import example_of, related_people
from fhir_gateway.sandbox.pds.query import parse
from fhir_gateway.sandbox.pds.resources import (
    etag,
    related_entry,
    retrieved,
    search_entry,
    searchset,
)
from fhir_gateway.sandbox.pds.search import Hit, find, retrieve

_OK = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back. `headers` are those besides Content-Type."""

    body: Resource
    status: int = _OK
    media_type: str = FHIR_JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def search_answer(
    population: Population,
    parameters: Sequence[tuple[str, str]],
    now: datetime,
    *,
    restricted: bool = True,
) -> Answer:
    """The answer to `GET /Patient`. Raises Fault.

    `restricted`: as to an application, one match or none; else as the open sandbox does, up to 50,
    with its examples.
    """
    query = parse(parameters)
    example = None if restricted else example_of(parameters)
    if example and example.found is None:
        return Answer(_no_example(timestamp(now)))
    today = now.date()
    if example and example.found is not None:
        known = ((population.get(number), score) for number, score in example.found.items())
        hits = [Hit(record, score) for record, score in known if record]
    else:
        most = 1 if restricted else query.most
        hits = find(population, query, today, most=most, published_first=not restricted)
    entries = [search_entry(hit.record, hit.score, today) for hit in hits]
    return Answer(searchset(entries, timestamp(now)))


def retrieve_answer(population: Population, nhs_number: str) -> Answer:
    """The answer to `GET /Patient/{nhs number}`. Raises Fault."""
    record = retrieve(population, nhs_number)
    return Answer(retrieved(record), headers={"ETag": etag(record)})


def related_answer(population: Population, nhs_number: str, now: datetime) -> Answer:
    """The answer to `GET /Patient/{nhs number}/RelatedPerson`: none for a restricted patient.

    Raises Fault.
    """
    record = retrieve(population, nhs_number)
    relations = () if record.is_restricted else record.relations
    entries = [related_entry(record, relation) for relation in relations]
    if record.written and not record.is_restricted:
        entries += related_people(nhs_number)
    return Answer(searchset(entries, timestamp(now)))


def fault_answer(fault: Fault) -> Answer:
    """The answer that says what is wrong."""
    after = fault.retry_after
    headers = {} if after is None else {"Retry-After": str(after)}
    return Answer(fault.resource(), fault.kind.status, fault.kind.media_type, headers)


def _no_example(moment: str) -> Resource:
    """What the public sandbox says, and PDS never does; `timestamp` is not FHIR, but is there."""
    said = "This mock endpoint has no example response for this combination of search parameters"
    issue = {"severity": "warning", "code": "not-supported", "diagnostics": said}
    return {**outcome([issue]), "timestamp": moment}


def timestamp(now: datetime) -> str:
    """An instant in UTC with milliseconds, such as `2026-11-24T00:07:43.907Z`."""
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
