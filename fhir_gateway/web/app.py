"""The app of the patient pages: routes, headers, limits, and a page for everything that goes
wrong."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Scope

from fhir_gateway.web.environment import mount_assets
from fhir_gateway.web.forms import ForeignForm
from fhir_gateway.web.head import HeadAsGet
from fhir_gateway.web.headers import BodyLimit, SecurityHeaders
from fhir_gateway.web.routes import check, code, ends, landing, language, pages, saving, status
from fhir_gateway.web.site import Site, site_of
from fhir_gateway.web.uploads import MAX_UPLOAD_BYTES

#: A page of long answers, each letter of which may be sent as nine; what is longer gets a page
#: that says so, what is shorter an error beside the field.
MAX_FORM_BYTES = 2_000_000
HTTP_ERROR = 400
_log = structlog.get_logger("web")

router = APIRouter(include_in_schema=False)


@router.get("/")
def home(request: Request) -> Response:
    """For who comes without a link."""
    return site_of(request).page(request, "home.jinja")


@router.get("/accessibility")
def accessibility(request: Request) -> Response:
    """The accessibility statement."""
    return site_of(request).page(request, "accessibility.jinja")


@router.get("/privacy")
def privacy(request: Request) -> Response:
    """Privacy and cookies."""
    return site_of(request).page(request, "privacy.jinja")


@router.get("/robots.txt")
def robots() -> Response:
    """Nothing here is for search engines."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


@router.get("/healthz")
def health(request: Request) -> Response:
    """Whether this process answers and reaches its database."""
    with site_of(request).database.transaction() as tx:
        tx.session.connection()
    return PlainTextResponse("ok\n")


def create_web_app(site: Site, *, lifespan: Any = None, home: ASGIApp | None = None) -> ASGIApp:
    """The patient pages as an ASGI app. `home`: what answers at `/demo` (the demo's overview), to
    which `/` leads then."""
    app = FastAPI(
        lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.state.site = site
    mount_assets(app)
    if home is not None:
        app.router.routes.append(Mount("/demo", home))
        app.add_api_route("/", _to_demo, include_in_schema=False)
    rooms = (landing, pages, code, check, ends, saving, status, language)
    for part in (router, *(room.router for room in rooms)):
        app.include_router(part)
    app.add_exception_handler(ForeignForm, _foreign_form)
    app.add_exception_handler(HTTPException, _http_error)
    app.middleware("http")(_guard)
    limited = BodyLimit(
        app,
        max_bytes=MAX_FORM_BYTES,
        refuse=lambda scope: _too_large(site, scope),
        max_upload_bytes=MAX_UPLOAD_BYTES,
        uploads=lambda path: path.startswith("/requests/") and "/page/" in path,
    )
    return HeadAsGet(SecurityHeaders(limited, https=site.base_url.startswith("https:")))


def _to_demo() -> Response:
    return Response(status_code=303, headers={"Location": "/demo/"})


async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """One line a request: the route's pattern, never its path, which can hold a link's token.

    What a route did not foresee ends here with a helpful page: further out, the server would log
    the error's text, which can hold what a patient typed.
    """
    started = time.perf_counter()
    try:
        response = await call_next(request)
    except Exception as error:
        _log.error("page failed", error=type(error).__name__, code=getattr(error, "code", ""))
        response = site_of(request).page(request, "broken.jinja", status=500)
    route = getattr(request.scope.get("route"), "path", "none")
    _log.info(
        "request",
        method=request.method,
        route=route,
        status=response.status_code,
        milliseconds=round((time.perf_counter() - started) * 1000),
    )
    return response


def _foreign_form(request: Request, error: Exception) -> Response:
    del error
    return site_of(request).page(request, "foreign-form.jinja", status=403)


def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else HTTP_ERROR
    return site_of(request).page(request, "not-found.jinja", status=status)


def _too_large(site: Site, scope: Scope) -> ASGIApp:
    return site.page(Request(scope), "too-large.jinja", status=413)
