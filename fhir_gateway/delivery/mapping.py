"""The step `map`: the response becomes the Bundle that the EPR gets, checked before it leaves."""

from __future__ import annotations

from typing import Any

from fhir_gateway.delivery.engine import Wait
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.delivery.submitted import read_submitted, run_target
from fhir_gateway.errors import Defect
from fhir_gateway.fhir import check
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str
from fhir_gateway.mapping.target import Target
from fhir_gateway.provider.service import Service
from fhir_gateway.store import requests
from fhir_gateway.store.requests import Request, RequestState


def map_request(parts: Parts, request_id: str, tries: int) -> Wait:
    """Map a traced request and keep the Bundle, so that every try to send sends the same bytes.

    Raises Defect when the mapping is wrong; the request then waits for a person.
    """
    del tries  # what a mapping gives does not change by trying again
    with parts.database.reading() as tx:
        request = requests.find(tx, request_id)
        if request is None or request.state is not RequestState.TRACED:
            return None
        service = parts.service(tx, request.service_slug)
    target = parts.target(service.mapping_for(request.questionnaire) or "")
    bundle = build_bundle(parts, request, service, target)
    now = parts.clock()
    with parts.database.transaction(redone=True) as tx:
        requests.save_bundle(tx, request_id, bundle)
        requests.move(
            tx,
            request_id,
            RequestState.MAPPED,
            now=now,
            detail=f"{target.name} {target.version} sha256:{target.digest[:12]}",
        )
    return None


def build_bundle(parts: Parts, request: Request, service: Service, target: Target) -> Resource:
    """The Bundle of a request, with narratives. Raises Defect when it is not valid."""
    context = launch_context(parts, request, service, target)
    bundle = run_target(parts, request, target, context).bundle
    found = [*check.problems(bundle), *(parts.profiles.problems(bundle) if parts.profiles else ())]
    problems = [i for i in found if i["severity"] in ("error", "fatal")]
    if problems:
        raise Defect(
            f"The mapping {target.name} gave an invalid Bundle: {problems[0]['diagnostics']}",
            code="mapping-invalid",
        )
    return bundle


def launch_context(
    parts: Parts, request: Request, service: Service, target: Target
) -> dict[str, Any]:
    """What a template can name beside the response: `%request`, `%identity`, `%submittedPatient`,
    `%submittedRequester`, `%service`, `%organisation`, `%gateway` (docs/mappings.md). `%eprPatient`
    is for delivery strategies that look the patient up at the EPR before they map."""
    submitted = read_submitted(parts, request)
    questionnaire = parts.catalogue.definition(request.questionnaire).raw
    kind = as_dict((as_list(questionnaire.get("code")) or [{}])[0])
    return {
        "request": {
            "id": request.id,
            "reference": request.reference,
            "accepted": request.accepted_at.isoformat(timespec="seconds"),
            "kind": as_str(kind.get("code")),
            "kindDisplay": as_str(kind.get("display")),
        },
        "identity": request.identity or {},
        "submittedPatient": submitted.patient,
        "submittedRequester": submitted.requester or [],
        "service": dict(service.healthcare_service),
        "organisation": dict(service.organisation),
        "gateway": {
            "name": parts.gateway_name,
            "mapping": target.name,
            "mappingVersion": target.version,
            "mappingDigest": target.digest,
        },
    }
