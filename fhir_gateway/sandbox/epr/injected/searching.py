"""Faults of search: what is found is not what was asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str
from fhir_gateway.sandbox.epr.injected.exchange import (
    Answered,
    Fault,
    Proceed,
    Sent,
    entries,
    on_answer,
    on_request,
)
from fhir_gateway.sandbox.epr.injected.known import Known, always

_PAGING = ("_count", "_offset", "_format", "_pretty")


def without_parameters(sent: Sent) -> Sent:
    """A search for everything of a type."""
    if not sent.is_search:
        return sent
    kept = tuple((name, value) for name, value in sent.query if name in _PAGING)
    return replace(sent, query=kept)


def without_system(sent: Sent) -> Sent:
    """Identifiers are compared by their value alone."""
    changed = tuple(
        (name, value.rpartition("|")[2] if name == "identifier" else value)
        for name, value in sent.query
    )
    return replace(sent, query=changed)


def by_case(sent: Sent, answered: Answered) -> Answered:
    """A family name must be asked for as it is written."""
    asked = dict(sent.query).get("family")
    if not sent.is_search or not asked:
        return answered
    return _only(answered, [e for e in entries(answered.resource) if _named(e, asked)])


def nothing(sent: Sent, answered: Answered) -> Answered:
    """Searches by identifier find nothing."""
    found = sent.is_search and "identifier" in dict(sent.query)
    return _only(answered, []) if found else answered


def one_too_many(sent: Sent, answered: Answered) -> Answered:
    """Bundle.total is wrong."""
    bundle = answered.resource
    if not sent.is_search or "total" not in bundle:
        return answered
    return answered.carrying({**bundle, "total": bundle["total"] + 1})


def as_list_of_resources(sent: Sent, answered: Answered) -> Answered:
    """The resources that were found, without a Bundle."""
    if not sent.is_search or answered.refused:
        return answered
    return answered.carrying([entry.get("resource") for entry in entries(answered.resource)])


def none_is_missing(sent: Sent, answered: Answered) -> Answered:
    """404 when a search finds nothing."""
    empty = sent.is_search and not answered.refused and not entries(answered.resource)
    return replace(answered, status=404) if empty else answered


def merged(sent: Sent, answered: Answered) -> Answered:
    """Of several, only the first is told of."""
    if not sent.is_search:
        return answered
    return _only(answered, entries(answered.resource)[:1])


def remembering() -> Fault:
    """The same search is answered as it was the first time, whatever was written since."""
    answers: dict[tuple[str, tuple[tuple[str, str], ...], bytes], Answered] = {}

    async def fault(sent: Sent, proceed: Proceed) -> Answered:
        if not sent.is_search:
            return await proceed(sent)
        asked = (sent.path, sent.query, sent.body)
        if asked not in answers:
            answers[asked] = await proceed(sent)
        return answers[asked]

    return fault


def _only(answered: Answered, kept: list[dict[str, Any]]) -> Answered:
    if answered.refused:
        return answered
    bundle: Resource = {k: v for k, v in answered.resource.items() if k != "entry"}
    return answered.carrying({**bundle, "total": len(kept), **({"entry": kept} if kept else {})})


def _named(entry: dict[str, Any], start: str) -> bool:
    names = as_list(as_dict(entry.get("resource")).get("name"))
    return any(as_str(as_dict(name).get("family")).startswith(start) for name in names)


FAULTS = (
    always(
        "ignores-search-parameters",
        "Answers a search with everything of the type.",
        on_request(without_parameters),
    ),
    always(
        "ignores-identifier-system",
        "Searches identifiers by their value, in whatever system.",
        on_request(without_system),
    ),
    always(
        "case-sensitive-search",
        "Finds a name only as it is written.",
        on_answer(by_case),
    ),
    always(
        "finds-no-identifier",
        "Declares search by identifier and finds nothing by it.",
        on_answer(nothing),
    ),
    always(
        "hides-all-but-one",
        "Tells of one match where there are several.",
        on_answer(merged),
    ),
    always(
        "wrong-total",
        "Counts one match too many in Bundle.total.",
        on_answer(one_too_many),
    ),
    always(
        "search-without-bundle",
        "Answers a search with a list of resources that is no Bundle.",
        on_answer(as_list_of_resources),
    ),
    always(
        "empty-search-is-404",
        "Answers 404 to a search that finds nothing.",
        on_answer(none_is_missing),
    ),
    Known(
        "remembers-searches",
        "Answers the same search as it did before, also when it is asked for a fresh answer.",
        remembering,
    ),
)
