"""The overview page: choose an invented person, text them a link, follow it, see it arrive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from fhir_gateway.fhir.identifiers import spaced_nhs_number
from fhir_gateway.journey.invitations import TooManyTexts
from fhir_gateway.sandbox.pds.personas import Persona, people, person
from fhir_gateway.sms.number import normalise_mobile
from fhir_gateway.web.display import long_date
from fhir_gateway.web.environment import create_environment

#: People whose story a newcomer understands at once, the simplest first.
_SHOWN = ("typical", "typical_man", "parent", "child", "married", "no_phone", "restricted")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything of a demo is; each without a slash at its end."""

    gateway: str
    fhir: str
    pds: str
    epr: str
    phone: str
    inbox: str
    people: str


def create_app(
    addresses: Addresses,
    *,
    service_name: str,
    text_link: Callable[[str], str],
    token_command: str = "",
) -> FastAPI:
    """The overview. `text_link`: texts a link of the demo service to a number (E.164) and returns
    its address. `token_command`: what prints a token for the FHIR API."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    template = create_environment(Path(__file__).parent / "templates").get_template(
        "overview.jinja"
    )

    def page(request: Request, *, status: int = 200, **values: object) -> Response:
        return HTMLResponse(
            template.render(
                csp_nonce=request.scope.get("state", {}).get("csp_nonce", ""),
                addresses=addresses,
                service_name=service_name,
                token_command=token_command,
                people=[_row(person(key)) for key in _SHOWN],
                others=len(people()) - len(_SHOWN),
                **values,
            ),
            status_code=status,
        )

    @app.get("/")
    def overview(request: Request, mobile: str = "") -> Response:
        number = normalise_mobile(mobile) if mobile else None
        return page(request, texted=_spaced(number) if number else "")

    @app.post("/link")
    def link(request: Request, mobile: Annotated[str, Form()] = "") -> Response:
        number = normalise_mobile(mobile)
        if number is None:
            error = "Enter a UK mobile number, like 07700 900982"
            return page(request, status=422, error=error, mobile=mobile, has_errors=True)
        try:
            text_link(number)
        except TooManyTexts:
            error = "This number has had too many texts today. Use another person's number"
            return page(request, status=429, error=error, mobile=mobile, has_errors=True)
        return RedirectResponse(f"/demo/?mobile={_national(number)}#sent", status_code=303)

    return app


def _row(one: Persona) -> dict[str, str]:
    return {
        "name": f"{one.given} {one.family}",
        "born": long_date(one.birth_date),
        "postcode": one.postcode,
        "nhs_number": spaced_nhs_number(one.nhs_number),
        "mobile": one.mobile or "none",
        "story": one.story,
    }


def _national(number: str) -> str:
    return "0" + number.removeprefix("+44")


def _spaced(number: str) -> str:
    national = _national(number)
    return f"{national[:5]} {national[5:]}"
