"""Save and come back later: saving, and opening again by the same link and a code by text."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request
from starlette.responses import Response

from fhir_gateway.errors import GatewayError
from fhir_gateway.fhir.types import as_str
from fhir_gateway.journey import codes, limits, saving
from fhir_gateway.journey.codes import Checking, CodeText
from fhir_gateway.journey.flow import Flow
from fhir_gateway.provider.service import Service
from fhir_gateway.sms.number import normalise_mobile
from fhir_gateway.store import drafts, visits
from fhir_gateway.store.drafts import Draft
from fhir_gateway.web import sealed, visitor
from fhir_gateway.web.display import day_name
from fhir_gateway.web.forms import Form
from fhir_gateway.web.routes.code import FIELD, WORDS
from fhir_gateway.web.routes.landing import open_link
from fhir_gateway.web.site import Opened, Site, host_of, open_draft, path_of, see, site_of

router = APIRouter(include_in_schema=False)
_NOT_A_MOBILE = "Enter a UK mobile number, like 07700 900 982"


@router.get("/requests/{draft_id}/save")
def ask(request: Request, draft_id: str) -> Response:
    """Which number opens it again?"""
    site = site_of(request)
    with site.database.transaction() as tx:
        opened = open_draft(request, tx, draft_id)
    if isinstance(opened, Response):
        return opened
    return _ask_page(site, request, opened, _known_number(opened))


@router.post("/requests/{draft_id}/save")
def save(request: Request, draft_id: str, form: Form) -> Response:
    """Keep the draft for later, and text its link to the number."""
    site = site_of(request)
    typed = form.text("mobile")
    number = normalise_mobile(typed)
    with site.database.transaction() as tx:
        opened = open_draft(request, tx, draft_id, lock=True)
        if isinstance(opened, Response):
            return opened
        if number is None:
            return _ask_page(site, request, opened, typed, error=opened.words.say(_NOT_A_MOBILE))
        until = saving.save(tx, opened.draft, number, now=site.clock())
        allowed = not limits.admit(tx, [(site.caps.number_texts, number)], now=site.clock())
    texted = allowed and _text_link(site, opened, number)
    return site.page(
        request,
        "saved.jinja",
        service=opened.service,
        words=opened.words,
        title=opened.words.say("Your answers are saved"),
        until=day_name(until),
        texted=texted,
        here=path_of(draft_id, opened.flow.first_open()),
    )


@router.get("/r/{token}/continue")
def begin(request: Request, token: str) -> Response:
    """Ask for the number that a request was saved with."""
    site = site_of(request)
    with site.database.transaction() as tx:
        found = open_link(site, tx, token)
    if found is None:
        return site.page(request, "link-unknown.jinja", status=404)
    return _continue_page(site, request, token)


@router.post("/r/{token}/continue")
def go_on(request: Request, token: str, form: Form) -> Response:
    """Text a code, or check it and go on. Whether anything was saved is not told before a code is
    right."""
    site = site_of(request)
    with site.database.transaction() as tx:
        found = open_link(site, tx, token)
        if found is None:
            return site.page(request, "link-unknown.jinja", status=404)
        link, service = found
        saved = form.text("saved")
        number = _unsealed(site, saved, link.id) if saved else normalise_mobile(form.text("mobile"))
        draft = saving.find(tx, link.id, number, now=site.clock()) if number else None
    if number is None:
        typed = form.text("mobile")
        return _continue_page(site, request, token, mobile=typed, error=_NOT_A_MOBILE)
    if not saved:
        if draft is not None:
            _text_code(site, request, draft, number, service)
        return _continue_page(site, request, token, hidden=_sealed(site, number, link.id))
    outcome = Checking.EXPIRED
    if draft is not None:
        typed = form.text(FIELD)
        outcome = codes.check(
            site.database, draft.id, draft.visit_id, number, typed, now=site.clock()
        )
    if outcome is not Checking.ACCEPTED or draft is None:
        return _continue_page(site, request, token, hidden=saved, error=WORDS[outcome])
    return _resumed(site, request, token, number)


def _text_code(site: Site, request: Request, draft: Draft, number: str, service: Service) -> None:
    codes.send(
        site.database,
        site.sender,
        draft,
        number,
        address=request.client.host if request.client else "",
        words=CodeText(service.name, host_of(site.base_url)),
        caps=site.caps,
        now=site.clock(),
    )


@router.get("/requests/{draft_id}/changed")
def changed(request: Request, draft_id: str) -> Response:
    """What could not be kept when the questions changed."""
    site = site_of(request)
    with site.database.transaction() as tx:
        opened = open_draft(request, tx, draft_id)
    if isinstance(opened, Response):
        return opened
    if not opened.draft.progress.dropped:
        return see(path_of(draft_id, opened.flow.first_open()))
    return site.page(
        request,
        "changed.jinja",
        service=opened.service,
        words=opened.words,
        title=opened.words.say("Some questions have changed since you saved"),
        dropped=opened.draft.progress.dropped,
        action=f"/requests/{draft_id}/changed",
    )


@router.post("/requests/{draft_id}/changed")
def seen(request: Request, draft_id: str, form: Form) -> Response:
    """It was read; go on."""
    del form  # only its being ours matters
    site = site_of(request)
    with site.database.transaction() as tx:
        opened = open_draft(request, tx, draft_id, lock=True)
        if isinstance(opened, Response):
            return opened
        opened.draft.progress.dropped = []
        drafts.save(tx, opened.draft, now=site.clock())
    return see(path_of(draft_id, opened.flow.first_open()))


def _resumed(site: Site, request: Request, token: str, number: str) -> Response:
    """The draft in a session of this browser's own, under a new token (ASVS 7.2.4)."""
    now, cookie = site.clock(), visitor.new_token()
    with site.database.transaction() as tx:
        found = open_link(site, tx, token)
        draft = saving.find(tx, found[0].id, number, now=now) if found else None
        if found is None or draft is None:
            return site.page(request, "link-unknown.jinja", status=404)
        visit = visits.begin(tx, cookie, now=now)
        moved = saving.resume(
            tx, draft, visit.id, service=found[1], catalogue=site.catalogue, now=now
        )
    definition = site.catalogue.definition(moved.questionnaire)
    flow = Flow(definition, moved.progress, now=now)
    dropped = bool(moved.progress.dropped)
    place = f"/requests/{moved.id}/changed" if dropped else path_of(moved.id, flow.first_open())
    response = see(place)
    visitor.write_cookie(response, site.base_url, cookie)
    return response


def _text_link(site: Site, opened: Opened, number: str) -> bool:
    url = f"{site.base_url}/r/{opened.draft.progress.link_token}/continue"
    text = f"{opened.service.name}: go on with the request you saved, within 7 days: {url}"
    try:
        site.sender.send(to=number, text=text, reference=f"{uuid.uuid4()}:saved")
    except GatewayError:
        return False
    return True


def _known_number(opened: Opened) -> str:
    """A number that was proved already, to save typing."""
    return next(iter(opened.draft.progress.verified), "")


def _sealed(site: Site, number: str, link_id: str) -> str:
    return sealed.sealed(site.database.sealer, {"number": number, "link": link_id})


def _unsealed(site: Site, text: str, link_id: str) -> str | None:
    value = sealed.unsealed(site.database.sealer, text)
    return as_str(value.get("number")) if value.get("link") == link_id else None


def _ask_page(
    site: Site, request: Request, opened: Opened, mobile: str, *, error: str = ""
) -> Response:
    return site.page(
        request,
        "save.jinja",
        service=opened.service,
        words=opened.words,
        status=422 if error else 200,
        title=opened.words.say("Save your answers and come back later"),
        days=saving.KEPT.days,
        mobile=mobile,
        error=error,
        errors=[(error, "#mobile")] if error else [],
        action=f"/requests/{opened.draft.id}/save",
        back=path_of(opened.draft.id, opened.flow.first_open()),
        has_errors=bool(error),
    )


def _continue_page(
    site: Site,
    request: Request,
    token: str,
    *,
    mobile: str = "",
    hidden: str = "",
    error: str = "",
) -> Response:
    target = "#security-code" if hidden else "#mobile"
    return site.page(
        request,
        "continue.jinja",
        status=422 if error else 200,
        title="Go on with a request that you saved",
        mobile=mobile,
        sealed=hidden,
        error=error,
        errors=[(error, target)] if error else [],
        action=f"/r/{token}/continue",
        back=f"/r/{token}",
        has_errors=bool(error),
    )
