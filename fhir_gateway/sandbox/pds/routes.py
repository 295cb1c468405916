"""The API's routes in application-restricted mode: three reads, and a no to everything else."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.sandbox.pds.answers import (
    Answer,
    fault_answer,
    related_answer,
    retrieve_answer,
    search_answer,
)
from fhir_gateway.sandbox.pds.faults import NO_CREATE, NO_UPDATE, UNSUPPORTED_REQUEST, Fault
from fhir_gateway.sandbox.pds.identity import Applications
from fhir_gateway.sandbox.pds.outage import Outage
from fhir_gateway.sandbox.pds.population import Population
from fhir_gateway.sandbox.pds.proxy import RateLimit, check_headers, check_max_results, mirrored

BASE_PATH = "/personal-demographics/FHIR/R4"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_NOT_ALLOWED = "Your app has insufficient permissions to use this method. Please contact support."


def fhir_routes(
    population: Population, limit: RateLimit | None, outage: Outage, applications: Applications
) -> APIRouter:
    """The routes under BASE_PATH."""
    router = APIRouter()

    def admit(request: Request) -> bool:
        restricted = check_headers(request.headers, applications.knows)
        if limit is not None:
            limit.check()
        outage.check()
        return restricted

    @router.get(f"{BASE_PATH}/Patient")
    def search(request: Request) -> Response:
        restricted = admit(request)
        parameters = request.query_params.multi_items()
        if restricted:
            check_max_results(parameters)
        answer = search_answer(population, parameters, datetime.now(UTC), restricted=restricted)
        return respond(request, answer)

    @router.get(BASE_PATH + "/Patient/{nhs_number}")
    def retrieve(request: Request, nhs_number: str) -> Response:
        admit(request)
        return respond(request, retrieve_answer(population, nhs_number))

    @router.get(BASE_PATH + "/Patient/{nhs_number}/RelatedPerson")
    def related(request: Request, nhs_number: str) -> Response:
        admit(request)
        return respond(request, related_answer(population, nhs_number, datetime.now(UTC)))

    @router.patch(BASE_PATH + "/Patient/{nhs_number}")
    def update(request: Request) -> Response:
        admit(request)
        raise Fault(NO_UPDATE, _NOT_ALLOWED)

    @router.post(f"{BASE_PATH}/Patient")
    def create(request: Request) -> Response:
        admit(request)
        raise Fault(NO_CREATE, _NOT_ALLOWED)

    return router


def other_routes() -> APIRouter:
    """Every other path and method. Must be the last routes of an app."""
    router = APIRouter()

    @router.api_route("/{path:path}", methods=_METHODS)
    def unsupported(request: Request) -> Response:
        path = request.url.path.removeprefix(BASE_PATH)
        raise Fault(UNSUPPORTED_REQUEST, f"Unsupported path - '{path}'")

    return router


def respond(request: Request, answer: Answer) -> Response:
    """An answer as HTTP, with the request's ids repeated."""
    return Response(
        fhir_json.dump(answer.body),
        status_code=answer.status,
        media_type=answer.media_type,
        headers={**mirrored(request.headers), **answer.headers},
    )


def respond_to_fault(request: Request, fault: Exception) -> Response:
    """An error as HTTP; for FastAPI's table of exception handlers."""
    assert isinstance(fault, Fault)
    return respond(request, fault_answer(fault))
