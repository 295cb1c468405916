"""Who wrote and about whom, as resources: the mapping `as-submitted` read from a response."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from fhir_gateway.delivery.parts import Parts
from fhir_gateway.errors import Defect
from fhir_gateway.fhir.bundle import resources
from fhir_gateway.fhir.outcome import has_errors
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str
from fhir_gateway.mapping.apply import apply
from fhir_gateway.mapping.extraction import Extraction
from fhir_gateway.mapping.target import Target
from fhir_gateway.sms.number import normalise_mobile
from fhir_gateway.store.requests import Request

AS_SUBMITTED = "as-submitted"


@dataclass(frozen=True, slots=True)
class Submitted:
    """The patient as typed, and who wrote for them (None: the patient wrote)."""

    patient: Resource
    requester: Resource | None

    @property
    def by_patient(self) -> bool:
        """Whether the patient wrote."""
        return self.requester is None

    @property
    def writer_mobile(self) -> str | None:
        """The mobile number, E.164, of the person who wrote; None when there is none."""
        telecoms = map(as_dict, as_list((self.requester or self.patient).get("telecom")))
        numbers = [as_str(t.get("value")) for t in telecoms if t.get("system") == "phone"]
        return next((n for n in map(normalise_mobile, numbers) if n), None)


def read_submitted(parts: Parts, request: Request) -> Submitted:
    """The people of a request. Raises Defect when the mapping gives no Patient."""
    extraction = run_target(parts, request, parts.target(AS_SUBMITTED), {})
    patient = next(resources(extraction.bundle, "Patient"), None)
    if patient is None:
        raise Defect("The mapping as-submitted gave no Patient.", code="no-patient")
    return Submitted(patient, next(resources(extraction.bundle, "RelatedPerson"), None))


def run_target(
    parts: Parts, request: Request, target: Target, context: dict[str, object]
) -> Extraction:
    """Map a request by a target. Raises Defect when a template failed: a request must not
    lose a part of what was said in silence."""
    definition = parts.catalogue.definition(request.questionnaire)
    extraction = apply(
        target,
        definition.raw,
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
