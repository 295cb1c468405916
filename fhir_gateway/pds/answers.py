"""What PDS answers, read leniently: only what the gateway needs, unknown parts passed over.

Shapes and codes: NHS England, PDS FHIR API specification
(https://digital.nhs.uk/developer/api-catalogue/personal-demographics-service-fhir).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str

SPINE_CODES = "https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode"


@dataclass(frozen=True, slots=True)
class Found:
    """One record. `score`: 0 to 1 as PDS gives it with a search, None for a read."""

    record: Resource
    score: float | None = None

    @property
    def nhs_number(self) -> str:
        """The record's NHS number: its id. A superseded number answers with the new one."""
        return as_str(self.record.get("id"))


@dataclass(frozen=True, slots=True)
class NotFound:
    """No record, or none that may be shown (restricted patients are not found by postcode).

    `invalidated`: PDS said that the record was made invalid.
    """

    invalidated: bool = False


@dataclass(frozen=True, slots=True)
class TooMany:
    """More than one record matches; PDS says no more than that."""


Answer = Found | NotFound | TooMany


def spine_code(body: Any) -> str:
    """The Spine error or warning code of an OperationOutcome, or ''.

    `diagnostics` is never read: it is subject to change.
    """
    for issue in map(as_dict, as_list(as_dict(body).get("issue"))):
        for coding in map(as_dict, as_list(as_dict(issue.get("details")).get("coding"))):
            if coding.get("code"):
                return as_str(coding["code"])
    return ""


def of_search(body: Any) -> Answer | None:
    """The answer in a 200 body of a search; None when it is neither Bundle nor a known outcome."""
    resource = as_dict(body)
    if resource.get("resourceType") == "OperationOutcome":
        return TooMany() if spine_code(resource) == "TOO_MANY_MATCHES" else None
    if resource.get("resourceType") != "Bundle":
        return None
    # A search without a match has no `entry` at all.
    entries = [as_dict(entry) for entry in as_list(resource.get("entry"))]
    records = [entry for entry in entries if as_str(as_dict(entry.get("resource")).get("id"))]
    if len(records) > 1:
        return TooMany()
    if not records:
        return NotFound()
    score = as_dict(records[0].get("search")).get("score")
    # Decimals are kept exact when read; a score of another kind is no score.
    if isinstance(score, bool) or not isinstance(score, (int, float, Decimal)):
        return Found(records[0]["resource"])
    return Found(records[0]["resource"], float(score))


def is_no_example(body: Any) -> bool:
    """Whether the public sandbox says that it has no canned answer to a search."""
    issues = [as_dict(issue) for issue in as_list(as_dict(body).get("issue"))]
    return any(issue.get("code") == "not-supported" for issue in issues)
