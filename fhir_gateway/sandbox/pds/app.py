"""A stand-in for the PDS FHIR API of NHS England, with invented people, over real HTTP.

With a token it speaks as PDS does to an application in application-restricted mode: one unique
match or none. Without one it is open, as the public sandbox is: up to 50 matches. Tokens are issued
at /oauth2/token to the applications that are registered; where none is, any token is good.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Annotated

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, Field

from fhir_gateway.sandbox.pds.faults import UNKNOWN_ERROR, Fault
from fhir_gateway.sandbox.pds.identity import Applications, KeySource, token_routes
from fhir_gateway.sandbox.pds.outage import OUTAGE_PATH, TROUBLES, Outage
from fhir_gateway.sandbox.pds.page import page_routes
from fhir_gateway.sandbox.pds.population import Population, create_population
from fhir_gateway.sandbox.pds.proxy import RateLimit
from fhir_gateway.sandbox.pds.routes import (
    BASE_PATH,
    fhir_routes,
    other_routes,
    respond_to_fault,
)
from fhir_gateway.web.environment import mount_assets
from fhir_gateway.web.headers import SecurityHeaders

__all__ = ["BASE_PATH", "create_app"]


class OutageOrder(BaseModel):
    """The body of `PUT /outage`: which error to answer with, and how often (until DELETE)."""

    code: Annotated[str, Field(pattern=f"^({'|'.join(TROUBLES)})$")]
    answers: Annotated[int, Field(ge=1)] | None = None


def create_app(
    *,
    population: Population | None = None,
    requests_per_second: float | None = None,
    applications: Mapping[str, KeySource] | None = None,
) -> FastAPI:
    """The sandbox PDS: the API under BASE_PATH, a page about its people at `/`.

    `population`: who is on record, by default the personas and a crowd of about 3,000.
    `requests_per_second`: more are answered 429; by default there is no limit.
    `applications`: API keys that get tokens, each with its key set or the address of one.
    `app.state.outage` (over HTTP: PUT and DELETE `/outage`) makes the API fail on request.
    """
    app = FastAPI(
        title="Sandbox PDS",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    people = population if population is not None else create_population()
    limit = RateLimit(requests_per_second) if requests_per_second is not None else None
    app.state.outage = Outage()
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(Fault, respond_to_fault)
    app.add_exception_handler(Exception, _respond_to_surprise)
    mount_assets(app)
    registered = Applications(applications)
    app.include_router(fhir_routes(people, limit, app.state.outage, registered))
    app.include_router(token_routes(registered))
    app.include_router(page_routes(people))
    _add_outage(app, app.state.outage)
    app.include_router(other_routes())
    return app


def _add_outage(app: FastAPI, outage: Outage) -> None:
    @app.put(OUTAGE_PATH, status_code=204)
    def start(order: OutageOrder) -> None:
        outage.start(order.code, order.answers)

    @app.delete(OUTAGE_PATH, status_code=204)
    def stop() -> None:
        outage.stop()


def _respond_to_surprise(request: Request, _error: Exception) -> Response:
    """What the API says when it fails itself."""
    return respond_to_fault(
        request,
        Fault(
            UNKNOWN_ERROR,
            "An unknown error occurred processing this request. Contact us for assistance"
            " diagnosing this issue: https://digital.nhs.uk/developer/help-and-support."
            f" (Message ID: {uuid.uuid4()})",
        ),
    )
