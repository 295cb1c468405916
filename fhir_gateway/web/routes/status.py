"""How far a request is: its reference and the mobile number, a code by text, and plain words.

Whether there is such a request is not told before a code is right.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from fhir_gateway.fhir.types import as_str
from fhir_gateway.journey import codes, status
from fhir_gateway.journey.codes import Checking, CodeText
from fhir_gateway.journey.status import Sent
from fhir_gateway.sms.number import normalise_mobile
from fhir_gateway.web import sealed
from fhir_gateway.web.forms import Form
from fhir_gateway.web.routes.code import FIELD, WORDS
from fhir_gateway.web.site import Site, host_of, site_of

router = APIRouter(include_in_schema=False)
_NO_REFERENCE = "Enter the reference that you were given, like 7K2M-9QXD"
_NO_MOBILE = "Enter a UK mobile number, like 07700 900 982"
_UNPROCESSABLE = 422


@router.get("/status")
def ask(request: Request) -> Response:
    """Ask for reference and number."""
    return _ask_page(site_of(request), request)


@router.post("/status")
def go_on(request: Request, form: Form) -> Response:
    """Text a code, or check it and tell."""
    site = site_of(request)
    kept = form.text("kept")
    if kept:
        return _check(site, request, kept, form.text(FIELD))
    reference = status.normalise_reference(form.text("reference"))
    number = normalise_mobile(form.text("mobile"))
    if reference is None or number is None:
        errors = [(_NO_REFERENCE, "#reference")] if reference is None else []
        errors += [(_NO_MOBILE, "#mobile")] if number is None else []
        typed = {"reference": form.text("reference")[:80], "mobile": form.text("mobile")[:80]}
        return _ask_page(site, request, errors=errors, **typed)
    sent = _find(site, reference, number)
    if sent is not None:
        _text_code(site, request, sent, number)
    hidden = sealed.sealed(site.database.sealer, {"reference": reference, "number": number})
    return _code_page(site, request, hidden)


def _check(site: Site, request: Request, kept: str, typed: str) -> Response:
    value = sealed.unsealed(site.database.sealer, kept)
    reference, number = as_str(value.get("reference")), as_str(value.get("number"))
    if not (reference and number):
        return _ask_page(site, request)
    sent = _find(site, reference, number)
    outcome = Checking.EXPIRED
    if sent is not None:
        draft = sent.draft
        outcome = codes.check(
            site.database, draft.id, draft.visit_id, number, typed, now=site.clock()
        )
    if sent is None or outcome is not Checking.ACCEPTED:
        return _code_page(site, request, kept, error=WORDS[outcome])
    with site.database.transaction() as tx:
        service = site.service(tx, sent.service_slug)
    return site.page(
        request,
        "status.jinja",
        service=service,
        title="Your request",
        step="told",
        reference=reference,
        standing=sent.standing.value,
    )


def _find(site: Site, reference: str, number: str) -> Sent | None:
    with site.database.transaction() as tx:
        return status.find(tx, reference, number)


def _text_code(site: Site, request: Request, sent: Sent, number: str) -> None:
    with site.database.transaction() as tx:
        service = site.service(tx, sent.service_slug)
    codes.send(
        site.database,
        site.sender,
        sent.draft,
        number,
        address=request.client.host if request.client else "",
        words=CodeText(service.name if service else "your request", host_of(site.base_url)),
        caps=site.caps,
        now=site.clock(),
    )


def _ask_page(
    site: Site,
    request: Request,
    *,
    errors: list[tuple[str, str]] | None = None,
    reference: str = "",
    mobile: str = "",
) -> Response:
    return site.page(
        request,
        "status.jinja",
        status=_UNPROCESSABLE if errors else 200,
        title="See how far your request is",
        step="ask",
        reference=reference,
        mobile=mobile,
        errors=errors or [],
        error_of={target: text for text, target in errors or []},
        has_errors=bool(errors),
    )


def _code_page(site: Site, request: Request, kept: str, *, error: str = "") -> Response:
    return site.page(
        request,
        "status.jinja",
        status=_UNPROCESSABLE if error else 200,
        title="Enter your security code",
        step="code",
        kept=kept,
        field=FIELD,
        error=error,
        errors=[(error, f"#{FIELD}")] if error else [],
        back="/status",
        has_errors=bool(error),
    )
