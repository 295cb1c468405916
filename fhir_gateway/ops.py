"""What operators' tools ask a gateway: `/health` and `/metrics`.

They tell services and addresses of EPRs, so they are not for everybody: with `ops_token` its bearer
gets them, without one only this machine itself does.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_address

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from fhir_gateway.delivery import health, metrics
from fhir_gateway.delivery.timing import Timing
from fhir_gateway.store.database import Database

PATHS = ("/health", "/metrics")
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def create_ops_app(
    database: Database, timing: Timing, clock: Callable[[], datetime], token: str | None
) -> FastAPI:
    """The app that answers below `PATHS`."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)

    @app.get("/health")
    def read_health(request: Request) -> Response:
        if not _may(request, token):
            return _no()
        with database.transaction() as tx:
            read = health.read(tx, timing, now=clock())
        status = 503 if read.status == health.FAIL else 200
        return JSONResponse(read.as_json(), status, {"Cache-Control": "no-store"})

    @app.get("/metrics")
    def read_metrics(request: Request) -> Response:
        if not _may(request, token):
            return _no()
        content = metrics.exposition(database, timing, clock)
        return Response(content, media_type=_METRICS_TYPE)

    return app


def _may(request: Request, token: str | None) -> bool:
    if token is not None:
        given = request.headers.get("authorization", "").encode()
        return hmac.compare_digest(given, f"Bearer {token}".encode())
    host = request.client.host if request.client else ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _no() -> Response:
    headers = {"WWW-Authenticate": "Bearer"}
    return PlainTextResponse("This is for the gateway's operators.\n", 401, headers)
