"""The FHIR REST API as an app of its own; every error is an OperationOutcome."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.rest import definitions, extract
from fhir_gateway.rest.answers import answer, refusal
from fhir_gateway.rest.metadata import capability_statement
from fhir_gateway.web.head import HeadAsGet
from fhir_gateway.web.headers import BodyLimit, SecurityHeaders

BASE = "/fhir/R4"
_CODES = {404: "not-found", 405: "not-supported"}
_log = structlog.get_logger("rest")


def create_fhir_app(
    catalogue: Catalogue, *, base_url: str, clock: Callable[[], datetime]
) -> ASGIApp:
    """The API. `base_url`: its own address, without a slash at the end."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.catalogue = catalogue
    app.state.base_url = base_url
    statement = capability_statement(base_url, date=clock().isoformat(timespec="seconds"))

    @app.get(f"{BASE}/metadata")
    def metadata(_pretty: bool = False) -> Response:
        """What this server can do."""
        return answer(statement, pretty=_pretty)

    app.include_router(extract.router, prefix=BASE)
    app.include_router(definitions.router, prefix=BASE)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _bad_parameter)
    app.middleware("http")(_guard)
    limited = BodyLimit(app, max_bytes=extract.MAX_BYTES, refuse=lambda _: _too_large)
    return HeadAsGet(SecurityHeaders(_EchoRequestId(limited), https=base_url.startswith("https:")))


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


_too_large = refusal(
    413, "too-costly", f"A request may have {extract.MAX_BYTES} bytes at the most."
)


def _http_error(request: Request, error: Exception) -> Response:
    del request
    status = error.status_code if isinstance(error, HTTPException) else 400
    return refusal(status, _CODES.get(status, "processing"), f"HTTP {status}")


def _bad_parameter(request: Request, error: Exception) -> Response:
    del request, error
    return refusal(400, "value", "A parameter of the request has no valid value.")


async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """What a route did not foresee ends here: further out, the server would log its text."""
    try:
        return await call_next(request)
    except Exception as error:
        _log.error("request failed", error=type(error).__name__)
        return refusal(500, "exception", "The gateway failed. Its log says more.")
