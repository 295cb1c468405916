"""The sandbox EPR: a FHIR R4 server, and an inbox for staff, as one FastAPI app."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Scope

from fhir_gateway.fhir.identifiers import NHS_NUMBER, token
from fhir_gateway.fhir.outcome import single
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str
from fhir_gateway.sandbox.epr import fhir_routes, interactions, pages
from fhir_gateway.sandbox.epr.access import Access, Gate
from fhir_gateway.sandbox.epr.faults import NOT_FOUND, TOO_LARGE, UNPROCESSABLE, Fault, fault
from fhir_gateway.sandbox.epr.fhir_http import FHIR_PATH, MAX_BODY_BYTES, answer
from fhir_gateway.sandbox.epr.injected import switchboard
from fhir_gateway.sandbox.epr.injected.middleware import Inject
from fhir_gateway.sandbox.epr.injected.switchboard import Switchboard
from fhir_gateway.sandbox.epr.messages import Messages
from fhir_gateway.sandbox.epr.storage import Storage
from fhir_gateway.web.environment import create_environment, mount_assets
from fhir_gateway.web.headers import (
    CONTENT_SECURITY_POLICY,
    FIXED_HEADERS,
    BodyLimit,
    SecurityHeaders,
)

_TEMPLATES = Path(__file__).parent / "templates"


def create_app(
    *,
    storage: Path | None = None,
    patients: Iterable[Resource] = (),
    access: Access | None = None,
    faults: Iterable[str] = (),
) -> FastAPI:
    """The FHIR server at `/fhir` and the inbox at `/`.

    `storage`: a SQLite file, made when it is missing, which survives restarts; None keeps all in
    memory. `patients`: Patient resources with an NHS number, registered unless that number is.
    `access`: who may use it; None lets everybody. `faults`: names of those that are on from the
    start (injected/catalogue.py).

    Raises Refused when the file is not a storage of this sandbox, a patient is not valid, or a
    fault is unknown.
    """
    opened = Storage(storage)
    _register(opened, patients)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        opened.close()

    app = FastAPI(
        title="Sandbox EPR",
        lifespan=lifespan,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.storage = opened
    app.state.messages = Messages()
    app.state.started = datetime.now(UTC)
    app.state.environment = create_environment(_TEMPLATES)
    app.state.faults = Switchboard(faults)
    app.include_router(switchboard.router)
    if access:
        app.include_router(access.routes())
    app.include_router(fhir_routes.router)
    app.include_router(pages.router)
    mount_assets(app)
    app.add_exception_handler(Fault, _on_fault)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_defect)
    if access:
        app.add_middleware(Gate, access=access)
    app.add_middleware(Inject, board=app.state.faults)
    app.add_middleware(BodyLimit, max_bytes=MAX_BODY_BYTES, refuse=_too_large)
    app.add_middleware(SecurityHeaders)
    return app


def _register(storage: Storage, patients: Iterable[Resource]) -> None:
    with storage.session() as session:
        for patient in patients:
            valid = interactions.checked(patient, "Patient")
            identifiers = map(as_dict, as_list(valid.get("identifier")))
            numbers = [i.get("value") for i in identifiers if i.get("system") == NHS_NUMBER]
            if not numbers:
                raise fault(UNPROCESSABLE, "required", "A patient to register has no NHS number.")
            criteria = f"identifier={token(NHS_NUMBER, as_str(numbers[0]))}"
            interactions.create(session, interactions.linked(valid, ""), criteria)


def _is_fhir(request: Request) -> bool:
    return request.url.path == FHIR_PATH or request.url.path.startswith(f"{FHIR_PATH}/")


def _on_fault(request: Request, error: Exception) -> Response:
    assert isinstance(error, Fault)
    return answer(request, error.status, error.resource())


def _on_http_error(request: Request, error: Exception) -> Response:
    """An address or a method that no route has."""
    assert isinstance(error, HTTPException)
    if _is_fhir(request):
        code = "not-found" if error.status_code == NOT_FOUND else "not-supported"
        outcome = single("error", code, str(error.detail))
        return answer(request, error.status_code, outcome, error.headers)
    if error.status_code == NOT_FOUND:
        return pages.not_found(request)
    text = "Go back to the inbox and try again."
    return pages.message(request, error.status_code, "That is not possible", text)


def _on_defect(request: Request, _: Exception) -> Response:
    """A mistake of this server; its details are in the log, never in the answer.

    Starlette makes this answer outside of all middleware, and uvicorn closes the connection then.
    """
    text = "Sorry, there is a problem with the sandbox EPR."
    if _is_fhir(request):
        response = answer(request, 500, single("fatal", "exception", text))
    else:
        response = pages.message(request, 500, text, "Try again later.")
    policy = CONTENT_SECURITY_POLICY.format(nonce=pages.nonce(request))
    response.headers.update(FIXED_HEADERS)
    response.headers.update({"Content-Security-Policy": policy, "Cache-Control": "no-store"})
    response.headers["Connection"] = "close"
    return response


def _too_large(scope: Scope) -> ASGIApp:
    request = Request(scope)
    text = f"The content is larger than {MAX_BODY_BYTES} bytes."
    if _is_fhir(request):
        return answer(request, TOO_LARGE, single("error", "too-long", text))
    return pages.message(request, TOO_LARGE, "That is too large", text)
