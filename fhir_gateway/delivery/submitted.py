"""Who wrote and about whom, as resources: the mapping `as-submitted` read from a response."""

from __future__ import annotations

import uuid

from fhir_gateway.delivery.kept import Submitted as Submitted
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.errors import Defect
from fhir_gateway.fhir.bundle import resources
from fhir_gateway.fhir.outcome import has_errors
from fhir_gateway.fhir.types import as_dict, as_list, as_str
from fhir_gateway.mapping.apply import apply_prepared
from fhir_gateway.mapping.extraction import Extraction
from fhir_gateway.mapping.target import Target
from fhir_gateway.store.requests import Request

AS_SUBMITTED = "as-submitted"


def read_submitted(parts: Parts, request: Request) -> Submitted:
    """The people of a request, read once for all its steps. Raises Defect when the mapping gives
    no Patient."""
    target = parts.target(AS_SUBMITTED)
    # What was accepted never changes.
    key = (request.id, target.digest)
    return parts.kept.submitted.get(key, lambda: _read(parts, request, target))


def forget_submitted(parts: Parts, request: Request) -> None:
    """No step needs the people of this request any more."""
    parts.kept.submitted.forget((request.id, parts.target(AS_SUBMITTED).digest))


def _read(parts: Parts, request: Request, target: Target) -> Submitted:
    extraction = run_target(parts, request, target, {})
    patient = next(resources(extraction.bundle, "Patient"), None)
    if patient is None:
        raise Defect("The mapping as-submitted gave no Patient.", code="no-patient")
    return Submitted(patient, next(resources(extraction.bundle, "RelatedPerson"), None))


def run_target(
    parts: Parts, request: Request, target: Target, context: dict[str, object]
) -> Extraction:
    """Map a request by a target. Raises Defect when a template failed: a request must not
    lose a part of what was said in silence."""
    extraction = apply_prepared(
        parts.prepared(target, request.questionnaire),
        request.response,
        context,
        namespace=uuid.UUID(request.id),
        now=request.accepted_at,
    )
    if has_errors(extraction.outcome):
        issues = map(as_dict, as_list(extraction.outcome.get("issue")))
        first = next(i for i in issues if i.get("severity") in ("error", "fatal"))
        raise Defect(
            f"The mapping {target.name} failed: {as_str(first.get('diagnostics'))}",
            code="mapping-failed",
        )
    return extraction
