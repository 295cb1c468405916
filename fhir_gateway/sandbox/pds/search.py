"""Who is found, by number or by search, in application-restricted mode."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from fhir_gateway.fhir.identifiers import normalise_nhs_number
from fhir_gateway.sandbox.pds.faults import (
    INVALID_RESOURCE_ID,
    INVALIDATED_RESOURCE,
    RESOURCE_NOT_FOUND,
    TOO_MANY_MATCHES,
    Fault,
)
from fhir_gateway.sandbox.pds.fuzzy import fuzzy_score
from fhir_gateway.sandbox.pds.plain import plain_score
from fhir_gateway.sandbox.pds.population import Population
from fhir_gateway.sandbox.pds.query import Query
from fhir_gateway.sandbox.pds.record import Confidentiality, Record

EXACT = 1.0


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that was found, and how well it fits (0 to 1)."""

    record: Record
    score: float


def retrieve(population: Population, nhs_number: str) -> Record:
    """The record of an NHS number, or the one that took its place.

    Raises Fault: INVALID_RESOURCE_ID, RESOURCE_NOT_FOUND or INVALIDATED_RESOURCE.
    """
    asked = population.get(nhs_number)
    if asked is None and normalise_nhs_number(nhs_number) != nhs_number:
        raise Fault(INVALID_RESOURCE_ID)
    if asked is None:
        raise Fault(RESOURCE_NOT_FOUND)
    record = population.standing(asked)
    if record.confidentiality is Confidentiality.REDACTED:
        raise Fault(INVALIDATED_RESOURCE)
    return record


def find_all(population: Population, query: Query, today: date) -> list[Hit]:
    """Everyone who fits, best first.

    A superseded record leads to the one that took its place, an invalidated one to nobody. A search
    that says where somebody is finds no restricted patient.
    """
    best: dict[str, Hit] = {}
    for candidate in population.born(query.birth):
        score = (fuzzy_score if query.fuzzy else plain_score)(candidate, query, today)
        if score is None or (query.exact and score < EXACT):
            continue
        record = population.standing(candidate)
        if record.confidentiality is Confidentiality.REDACTED:
            continue
        if record.is_restricted and query.asks_where:
            continue
        known = best.get(record.nhs_number)
        if known is None or known.score < score:
            best[record.nhs_number] = Hit(record, score)
    return sorted(best.values(), key=lambda hit: (-hit.score, hit.record.nhs_number))


def find(
    population: Population, query: Query, today: date, *, most: int, published_first: bool = False
) -> list[Hit]:
    """Everyone who fits, when they are no more than `most`: PDS never chooses between people.

    `published_first`: whoever finds people of the public sandbox finds none of the crowd beside
    them. Raises Fault TOO_MANY_MATCHES, which PDS sends with status 200.
    """
    hits = find_all(population, query, today)
    if published_first:
        hits = [hit for hit in hits if hit.record.written] or hits
    if len(hits) > most:
        raise Fault(TOO_MANY_MATCHES)
    return hits
