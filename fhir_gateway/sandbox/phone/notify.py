"""The part of GOV.UK Notify's REST API that sends and looks up texts, answered as published
(https://docs.notifications.service.gov.uk/rest-api.html)."""

from __future__ import annotations

import re
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from starlette.responses import JSONResponse, Response

from fhir_gateway.fhir import json as strict_json
from fhir_gateway.fhir.types import as_dict, as_str
from fhir_gateway.sandbox.phone.messages import Message, Messages
from fhir_gateway.sms.number import normalise_mobile

#: Notify takes a token for so many seconds either way.
CLOCK_SECONDS = 30
_MINUTE = 60.0
_PLACEHOLDER = re.compile(r"\(\((.+?)\)\)")
_PER_PAGE = 250

router = APIRouter()


@dataclass(slots=True)
class NotifyService:
    """One service on Notify: its credentials, its only template, its limit of texts a minute."""

    service_id: str
    secret: str
    template_id: str
    messages: Messages
    template: str = "((text))"
    per_minute: int = 3000
    recent: deque[float] = field(default_factory=deque)


@router.post("/v2/notifications/sms")
async def send(request: Request) -> Response:
    """Send a text."""
    service = _service(request)
    refusal = _check_token(request, service)
    if refusal:
        return refusal
    try:
        body = as_dict(strict_json.parse(await request.body()))
    except strict_json.JsonRefused:
        return _errors(400, "BadRequestError", "Invalid JSON supplied in POST data")
    refusal = _check_body(body, service) or _check_rate(service)
    if refusal:
        return refusal
    number = normalise_mobile(as_str(body["phone_number"])) or ""
    text = _fill(service.template, as_dict(body.get("personalisation")))
    reference = as_str(body.get("reference")) or None
    message = service.messages.add(number, text, reference, service.template_id)
    base = str(request.base_url).rstrip("/")
    return JSONResponse(
        {
            "id": message.id,
            "reference": message.reference,
            "content": {"body": message.text, "from_number": "GOVUK"},
            "uri": f"{base}/v2/notifications/{message.id}",
            "template": {
                "id": service.template_id,
                "version": 1,
                "uri": f"{base}/v2/template/{service.template_id}",
            },
        },
        status_code=201,
    )


@router.get("/v2/notifications/{message_id}")
def status(request: Request, message_id: str) -> Response:
    """One text."""
    service = _service(request)
    refusal = _check_token(request, service)
    if refusal:
        return refusal
    message = service.messages.find(message_id)
    if message is None:
        return _errors(404, "NoResultFound", "No result found")
    return JSONResponse(_described(message))


@router.get("/v2/notifications")
def search(request: Request, reference: str = "", status: str = "") -> Response:
    """Texts, newest first, by reference and status."""
    service = _service(request)
    refusal = _check_token(request, service)
    if refusal:
        return refusal
    messages = service.messages
    found = messages.with_reference(reference) if reference else messages.all()
    if status and status != "delivered":
        found = []
    newest = [_described(message) for message in reversed(found)][:_PER_PAGE]
    return JSONResponse({"notifications": newest, "links": {"current": str(request.url)}})


def _service(request: Request) -> NotifyService:
    service: NotifyService = request.app.state.notify
    return service


def _check_token(request: Request, service: NotifyService) -> Response | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return _errors(401, "AuthError", "Unauthorized: authentication token must be provided")
    try:
        claims = jwt.decode(token, OctKey.import_key(service.secret.encode()), ["HS256"]).claims
    except (JoseError, ValueError):
        return _errors(403, "AuthError", "Invalid token: API key not found")
    if claims.get("iss") != service.service_id:
        return _errors(403, "AuthError", "Invalid token: service not found")
    issued = claims.get("iat")
    if not isinstance(issued, int) or abs(time.time() - issued) > CLOCK_SECONDS:
        return _errors(
            403,
            "AuthError",
            "Error: Your system clock must be accurate to within 30 seconds",
        )
    return None


def _check_body(body: dict[str, Any], service: NotifyService) -> Response | None:
    for name in ("phone_number", "template_id"):
        if not isinstance(body.get(name), str):
            return _errors(400, "ValidationError", f"{name} is a required property")
    if normalise_mobile(body["phone_number"]) is None:
        return _errors(400, "ValidationError", "phone_number Not a UK mobile number")
    if body["template_id"] != service.template_id:
        return _errors(400, "BadRequestError", "Template not found")
    given = as_dict(body.get("personalisation"))
    missing = [name for name in _PLACEHOLDER.findall(service.template) if name not in given]
    if missing:
        return _errors(400, "BadRequestError", f"Missing personalisation: {', '.join(missing)}")
    return None


def _check_rate(service: NotifyService) -> Response | None:
    now = time.monotonic()
    while service.recent and now - service.recent[0] > _MINUTE:
        service.recent.popleft()
    if len(service.recent) >= service.per_minute:
        return _errors(
            429,
            "RateLimitError",
            f"Exceeded rate limit for key type LIVE of {service.per_minute} requests per 60 "
            "seconds",
        )
    service.recent.append(now)
    return None


def _fill(template: str, given: dict[str, Any]) -> str:
    return _PLACEHOLDER.sub(lambda match: as_str(given.get(match[1])), template)


def _described(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "reference": message.reference,
        "phone_number": message.number,
        "type": "sms",
        "status": "delivered",
        "body": message.text,
        "template": {"id": message.template_id, "version": 1},
        "created_at": message.sent_at,
        "sent_at": message.sent_at,
        "completed_at": message.sent_at,
    }


def _errors(status_code: int, error: str, message: str) -> Response:
    return JSONResponse(
        {"status_code": status_code, "errors": [{"error": error, "message": message}]},
        status_code=status_code,
    )
