"""The sandbox phone as an app: Notify's API for the gateway, phones for people."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from fhir_gateway.sandbox.phone import notify, pages
from fhir_gateway.sandbox.phone.messages import Messages
from fhir_gateway.sandbox.phone.notify import NotifyService
from fhir_gateway.web.environment import mount_assets
from fhir_gateway.web.headers import SecurityHeaders

#: The demo's service on the stand-in; no secret of anybody's.
SERVICE_ID = "0d3f2a52-6c5e-4a55-9d0e-1b6f4f0c9a01"
SECRET = "7b1d2c3e-4f50-4a61-8b72-9c83ad94be05"  # noqa: S105
TEMPLATE_ID = "f2b7a9c4-3d1e-4c8a-b5f6-7e8d9c0a1b23"


def api_key() -> str:
    """The API key of the demo's service, in Notify's form."""
    return f"demo-{SERVICE_ID}-{SECRET}"


def create_app(
    *,
    storage: Path | None = None,
    service_id: str = SERVICE_ID,
    secret: str = SECRET,
    template_id: str = TEMPLATE_ID,
    per_minute: int = 3000,
) -> ASGIApp:
    """The app. `storage`: SQLite file that keeps the texts (None: memory). `per_minute`: Notify's
    limit of texts."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.notify = NotifyService(
        service_id, secret, template_id, Messages(storage), per_minute=per_minute
    )
    app.state.pages = pages.environment()
    mount_assets(app)
    app.mount("/static", StaticFiles(directory=pages.HERE / "static"), name="static")
    app.include_router(notify.router)
    app.include_router(pages.router)
    return SecurityHeaders(app)
