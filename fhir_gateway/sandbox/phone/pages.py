"""The phones as people see them, and the texts as scripts read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from fhir_gateway.sandbox.phone.messages import Message, Messages
from fhir_gateway.sms.number import normalise_mobile
from fhir_gateway.web.display import long_date
from fhir_gateway.web.environment import create_environment

HERE = Path(__file__).parent
_LONDON = ZoneInfo("Europe/London")
#: What a phone makes a link of: an http address up to the next space; nothing else ever.
_LINK = re.compile(r"https?://[A-Za-z0-9.:/?=&%#_~\-]+")
_PREVIEW = 60

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone that has texts."""

    number: str
    shown: str
    count: int
    preview: str


@dataclass(frozen=True, slots=True)
class Bubble:
    """A text as the phone shows it."""

    html: Markup
    when: str


@router.get("/messages")
def messages(request: Request, to: str = "") -> Response:
    """Texts for scripts, newest last: all, or those to a number in any spelling."""
    found = _messages(request).all()
    if to:
        number = normalise_mobile(to)
        found = _messages(request).to(number) if number else []
    return JSONResponse(
        [
            {
                "id": m.id,
                "to": m.number,
                "text": m.text,
                "reference": m.reference,
                "sent_at": m.sent_at,
            }
            for m in found
        ]
    )


@router.get("/")
def phones(request: Request, number: str = "") -> Response:
    """The phones that have texts, and a form to open any."""
    wanted = normalise_mobile(number) if number else None
    if wanted:
        return RedirectResponse(f"/phones/{national(wanted)}", status_code=303)
    return _page(
        request,
        "phones.jinja",
        phones=_phones(_messages(request).all()),
        number=number,
        error="Enter a UK mobile number, like 07700 900982" if number else "",
        status=422 if number else 200,
    )


@router.get("/phones/{number}")
def phone(request: Request, number: str) -> Response:
    """One phone and its texts."""
    wanted = normalise_mobile(number)
    if wanted is None:
        return _page(request, "phones.jinja", phones=_phones(_messages(request).all()), status=404)
    bubbles = [Bubble(linked(m.text), _when(m.sent_at)) for m in _messages(request).to(wanted)]
    return _page(request, "phone.jinja", shown=spaced(wanted), bubbles=bubbles)


def environment() -> jinja2.Environment:
    """The templates of the phone."""
    return create_environment(HERE / "templates")


def linked(text: str) -> Markup:
    """A text with its web addresses as links; everything else escaped."""
    html, position = Markup(""), 0
    for match in _LINK.finditer(text):
        address = match[0].rstrip(".:?")
        html += text[position : match.start()]
        html += Markup('<a href="{0}">{0}</a>').format(address)
        position = match.start() + len(address)
    return html + text[position:]


def national(number: str) -> str:
    """`+447700900123` as `07700900123`."""
    return "0" + number.removeprefix("+44")


def spaced(number: str) -> str:
    """`+447700900123` as `07700 900123`."""
    whole = national(number)
    return f"{whole[:5]} {whole[5:]}"


def _messages(request: Request) -> Messages:
    found: Messages = request.app.state.notify.messages
    return found


def _phones(found: Sequence[Message]) -> list[Phone]:
    """The phones, the one with the newest text first."""
    by_number: dict[str, list[Message]] = {}
    for message in reversed(found):
        by_number.setdefault(message.number, []).append(message)
    return [
        Phone(national(number), spaced(number), len(texts), texts[0].text[:_PREVIEW])
        for number, texts in by_number.items()
    ]


def _when(iso: str) -> str:
    moment = datetime.fromisoformat(iso).astimezone(_LONDON)
    return f"{long_date(moment.date().isoformat())}, {moment:%H:%M}"


def _page(request: Request, template: str, *, status: int = 200, **values: object) -> Response:
    pages: jinja2.Environment = request.app.state.pages
    html = pages.get_template(template).render(
        csp_nonce=request.scope.get("state", {}).get("csp_nonce", ""), **values
    )
    return HTMLResponse(html, status_code=status)
