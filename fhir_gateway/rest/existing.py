"""Conditional create (If-None-Exist): is what shall be created there already?

https://hl7.org/fhir/R4/http.html#ccreate
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from fhir_gateway.fhir.search.query import SearchRefused
from fhir_gateway.fhir.search.reading import read_query
from fhir_gateway.fhir.types import Resource
from fhir_gateway.rest import written
from fhir_gateway.rest.conditions import if_none_exist
from fhir_gateway.rest.desk import Pending
from fhir_gateway.rest.problem import BAD_REQUEST, PRECONDITION_FAILED, Problem
from fhir_gateway.rest.registry import Answer, Call
from fhir_gateway.rest.stored import reading_of, refused, visible_to
from fhir_gateway.store import search
from fhir_gateway.store.database import Transaction


def matching(
    tx: Transaction, call: Call, criteria: Sequence[tuple[str, str]], *, now: datetime
) -> Resource | None:
    """The one resource of the call's type that these search parameters find; None: there is none.

    Raises Problem: 412 when there are several, 400 for parameters that are not understood: to pass
    them over could find another's.
    """
    if any("." in name or name.startswith("_has") for name, _ in criteria):
        # A chain asks about other types, for which there may be no scope.
        text = "If-None-Exist takes parameters of the resource itself alone."
        raise Problem(BAD_REQUEST, "not-supported", text)
    try:
        query = read_query(
            call.resource_type, list(criteria), reading_of(call, tx, now), strict=True
        )
    except SearchRefused as error:
        raise refused(error) from None
    found = search.run(tx, query, visible_to(call.access), after=None).matches
    if len(found) > 1:
        raise Problem(
            PRECONDITION_FAILED,
            "multiple-matches",
            "If-None-Exist finds several: nothing was created.",
        )
    return found[0].resource if found else None


def unless(pending: Pending, call: Call, clock: Callable[[], datetime]) -> Pending:
    """A create that is not done when If-None-Exist finds what is there."""
    criteria = if_none_exist(call.request)
    if not criteria:
        return pending

    def apply(tx: Transaction) -> Callable[[], Answer]:
        match = matching(tx, call, criteria, now=clock())
        return pending.apply(tx) if match is None else lambda: written.answer(call, match)

    return Pending(apply, pending.reference)
