"""FHIR over HTTP: resources and OperationOutcomes as responses."""

from __future__ import annotations

from starlette.responses import Response

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.outcome import single
from fhir_gateway.fhir.types import Resource

FHIR_JSON = "application/fhir+json"


def answer(resource: Resource, *, status: int = 200, pretty: bool = False) -> Response:
    """A resource as FHIR JSON."""
    return Response(
        fhir_json.dump(resource, pretty=pretty),
        status_code=status,
        media_type=f"{FHIR_JSON}; charset=utf-8",
    )


def refusal(status: int, code: str, diagnostics: str) -> Response:
    """An OperationOutcome with one error."""
    return answer(single("error", code, diagnostics), status=status)
