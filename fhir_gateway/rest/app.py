"""The FHIR REST API as an app of its own; every error is an OperationOutcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_gateway.fhir.types import Element
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.rest import audit_events, extract, openapi, stored
from fhir_gateway.rest.access import Authenticate, nobody
from fhir_gateway.rest.dispatch import Admit, Dispatcher, Observer
from fhir_gateway.rest.metadata import capability_statement
from fhir_gateway.rest.negotiation import MAX_BYTES, problem_response, too_large
from fhir_gateway.rest.problem import ISSUE_CODES, Problem
from fhir_gateway.rest.registry import Answer, Registry
from fhir_gateway.store.database import Database
from fhir_gateway.web.head import HeadAsGet
from fhir_gateway.web.headers import BodyLimit, SecurityHeaders

BASE = "/fhir/R4"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_fhir_app(
    catalogue: Catalogue,
    database: Database,
    *,
    base_url: str,
    clock: Callable[[], datetime],
    authenticate: Authenticate = nobody,
    observers: tuple[Observer, ...] = (),
    admit: Admit = lambda _: None,
    security: Element | None = None,
    register: Callable[[Registry], None] = lambda _: None,
    routes: Sequence[Route] = (),
) -> ASGIApp:
    """The API of what `database` has (delivery/showing.py writes it). `base_url`: its own address,
    without a slash at the end. `register`: adds what else is served. `security`:
    CapabilityStatement.rest.security. `routes`: what is no FHIR, such as SMART's discovery
    document."""
    registry = Registry()
    stored.register(registry, database, clock)
    audit_events.register(registry, database, clock)
    extract.register(registry, catalogue)
    register(registry)
    started = clock().isoformat(timespec="seconds")
    statement = capability_statement(registry, base_url, date=started, security=security)
    registry.pages["metadata"] = lambda _: Answer(statement)
    description = openapi.description(registry, base_url)
    dispatcher = Dispatcher(
        registry, base=BASE, base_url=base_url, observers=observers, admit=admit
    )

    async def answer(request: Request) -> Response:
        return await dispatcher.answer(request)

    async def describe(request: Request) -> Response:
        del request
        return JSONResponse(description)

    served = [
        *routes,
        Route(f"{BASE}/openapi.json", describe, methods=["GET"]),
        Route("/{path:path}", answer, methods=_METHODS),
    ]
    app = Starlette(routes=served, exception_handlers={HTTPException: _refused})
    app.state.authenticate = authenticate
    limited = BodyLimit(app, max_bytes=MAX_BYTES, refuse=_refuse)
    return HeadAsGet(SecurityHeaders(_EchoRequestId(limited), https=base_url.startswith("https:")))


async def _refused(request: Request, error: Exception) -> Response:
    """What the framework refuses: a method that no route here has."""
    assert isinstance(error, HTTPException)
    text = "This method is not served here."
    code = ISSUE_CODES.get(error.status_code, "processing")
    return problem_response(request, Problem(error.status_code, code, text, headers=error.headers))


def _refuse(scope: Scope) -> ASGIApp:
    return problem_response(Request(scope), too_large())


class _EchoRequestId:
    """Gives X-Request-Id back (https://hl7.org/fhir/R4/http.html#custom)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope.get("headers", [])).get(b"x-request-id")

        async def send_with_id(message: dict[str, object]) -> None:
            if given and message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                headers.append((b"x-request-id", given))  # type: ignore[attr-defined]
            await send(message)

        await self._app(scope, receive, send_with_id)  # type: ignore[arg-type]
