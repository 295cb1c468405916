"""Where text providers report what became of texts. Not for people and not FHIR.

Reports are authenticated before they are read, say nothing of patients in return, may come twice
and in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

import structlog
from fastapi import APIRouter, FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

from fhir_gateway.errors import Refused
from fhir_gateway.sms import receipts
from fhir_gateway.sms.receipts import BadKey, BadSignature, Receipt
from fhir_gateway.store import texts
from fhir_gateway.store.database import Database
from fhir_gateway.web.headers import BodyLimit, SecurityHeaders

PATH = "/callbacks"
MAX_BYTES = 100_000
_OK, _ACCEPTED, _BAD, _UNAUTHORISED, _FORBIDDEN, _MISSING = 200, 202, 400, 401, 403, 404
_log = structlog.get_logger("callbacks")


@dataclass(frozen=True, slots=True)
class CallbackKeys:
    """What providers show that they are who they are; "" where one is not used."""

    notify_token: str = ""
    nhs_notify_application: str = ""
    nhs_notify_key: str = ""
    twilio_token: str = ""


@dataclass(frozen=True, slots=True)
class _Desk:
    """What the routes work with."""

    database: Database
    keys: CallbackKeys
    base_url: str
    clock: Callable[[], datetime]


router = APIRouter(prefix=PATH, include_in_schema=False)


def create_callback_app(
    database: Database, keys: CallbackKeys, *, base_url: str, clock: Callable[[], datetime]
) -> ASGIApp:
    """The app. `base_url`: the gateway's own address, which Twilio signs."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.desk = _Desk(database, keys, base_url, clock)
    app.include_router(router)
    limited = BodyLimit(app, max_bytes=MAX_BYTES, refuse=lambda _: PlainTextResponse("", 413))
    return SecurityHeaders(limited, https=base_url.startswith("https:"))


@router.post("/notify")
async def notify(request: Request) -> Response:
    """GOV.UK Notify: the bearer token that it was given."""
    desk = _desk(request)
    token = desk.keys.notify_token
    if not token:
        return PlainTextResponse("", _MISSING)
    body = await request.body()
    shown = request.headers.get("authorization", "")
    return await _answered(desk, lambda: receipts.of_notify(shown, body, token), _OK)


@router.post("/nhs-notify")
async def nhs_notify(request: Request) -> Response:
    """NHS Notify: its API key, and an HMAC over the body."""
    desk = _desk(request)
    keys = desk.keys
    if not keys.nhs_notify_key:
        return PlainTextResponse("", _MISSING)
    body = await request.body()

    def read() -> list[Receipt]:
        return receipts.of_nhs_notify(
            request.headers,
            body,
            application_id=keys.nhs_notify_application,
            api_key=keys.nhs_notify_key,
        )

    return await _answered(desk, read, _ACCEPTED)


@router.post("/twilio")
async def twilio(request: Request, reference: str = "") -> Response:
    """Twilio: an HMAC over address and form."""
    desk = _desk(request)
    token = desk.keys.twilio_token
    if not token:
        return PlainTextResponse("", _MISSING)
    body = await request.body()
    form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    query = f"?{request.url.query}" if request.url.query else ""
    url = f"{desk.base_url}{request.url.path}{query}"
    signature = request.headers.get("x-twilio-signature", "")
    return await _answered(
        desk, lambda: receipts.of_twilio(url, form, signature, token, reference), _OK
    )


def _desk(request: Request) -> _Desk:
    desk: _Desk = request.app.state.desk
    return desk


async def _answered(desk: _Desk, read: Callable[[], Sequence[Receipt]], done: int) -> Response:
    """Read a report, keep it, and answer with a status alone."""
    try:
        found = read()
    except BadKey:
        return PlainTextResponse("", _UNAUTHORISED)
    except BadSignature:
        return PlainTextResponse("", _FORBIDDEN)
    except Refused:
        return PlainTextResponse("", _BAD)
    await run_in_threadpool(_keep, desk.database, found, desk.clock())
    return PlainTextResponse("", done)


def _keep(database: Database, found: Sequence[Receipt], now: datetime) -> None:
    for receipt in found:
        with database.transaction() as tx:
            known = texts.receive(
                tx, receipt.text_id, receipt.reference, receipt.status.value, now=now
            )
        _log.info("text receipt", code=receipt.status.value if known else "unknown-text")
