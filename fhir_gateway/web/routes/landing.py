"""Where a link leads: what the service offers, and where a request begins.

A GET changes nothing, so that scanners which open links in texts use nothing up (ASVS 7.6.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from fhir_gateway.fhir.types import as_str
from fhir_gateway.journey import requests as journey
from fhir_gateway.journey import sessions, tokens
from fhir_gateway.journey.flow import Flow
from fhir_gateway.journey.sessions import SessionState
from fhir_gateway.provider.service import Service
from fhir_gateway.store import drafts, links, visits
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.links import Link
from fhir_gateway.web import visitor
from fhir_gateway.web.forms import Form
from fhir_gateway.web.site import Site, path_of, see, site_of

router = APIRouter(include_in_schema=False)

#: The choice that leads to NHS advice instead of a request.
ADVICE = "advice"
#: A session that is younger than this takes a further request in, so that two tabs can coexist.
_REUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to choose on the landing page."""

    key: str
    title: str
    description: str


@router.get("/r/{token}")
def landing(request: Request, token: str) -> Response:
    """The service's landing page, or a page that says why the link does not work."""
    site = site_of(request)
    with site.database.transaction() as tx:
        opened = open_link(site, tx, token)
    if opened is None:
        return site.page(request, "link-unknown.jinja", status=404)
    return _landing_page(site, request, token, opened[1])


@router.post("/r/{token}")
def choose(request: Request, token: str, form: Form) -> Response:
    """Begin the chosen request, or go to NHS advice."""
    site = site_of(request)
    chosen = form.text("request")
    with site.database.transaction() as tx:
        opened = open_link(site, tx, token)
        if opened is None:
            return site.page(request, "link-unknown.jinja", status=404)
        link, service = opened
        if chosen == ADVICE:
            return see(f"/r/{token}/advice")
        canonical = next(
            (t.questionnaire for t in service.request_types if _key(t.questionnaire) == chosen),
            None,
        )
        if canonical is None:
            return _landing_page(site, request, token, service, error=True)
        return _begin(site, tx, token, link, canonical, form.visitor)


@router.get("/r/{token}/advice")
def advice(request: Request, token: str) -> Response:
    """Where to find NHS advice about a condition, and help now."""
    site = site_of(request)
    with site.database.transaction() as tx:
        opened = open_link(site, tx, token)
    if opened is None:
        return site.page(request, "link-unknown.jinja", status=404)
    return site.page(request, "advice.jinja", service=opened[1], back=f"/r/{token}")


def open_link(site: Site, tx: Transaction, token: str) -> tuple[Link, Service] | None:
    """An open link with its service, or None."""
    if not tokens.LINK_TOKEN.fullmatch(token):
        return None
    link = links.by_token(tx, token)
    if link is None or not link.is_open(site.clock()):
        return None
    service = site.service(tx, link.service_slug)
    return (link, service) if service else None


def _landing_page(
    site: Site, request: Request, token: str, service: Service, *, error: bool = False
) -> Response:
    return site.page(
        request,
        "landing.jinja",
        service=service,
        status=422 if error else 200,
        token=token,
        choices=_choices(site, service),
        advice=ADVICE,
        has_errors=error,
    )


def _choices(site: Site, service: Service) -> list[Choice]:
    found = []
    for request_type in service.request_types:
        questionnaire = site.catalogue.definition(request_type.questionnaire).raw
        found.append(
            Choice(
                _key(request_type.questionnaire),
                as_str(questionnaire.get("title")),
                as_str(questionnaire.get("description")),
            )
        )
    return found


def _key(canonical: str) -> str:
    """What the form posts for a Questionnaire: the end of its url."""
    return canonical.partition("|")[0].rstrip("/").rpartition("/")[2]


def _begin(
    site: Site, tx: Transaction, token: str, link: Link, canonical: str, visitor_token: str
) -> Response:
    now = site.clock()
    definition = site.catalogue.definition(canonical)
    visit = visits.find(tx, visitor_token)
    active = visit is not None and sessions.state(visit, now) is SessionState.ACTIVE
    cookie = visitor_token
    if visit is None or not active or now - visit.started_at > _REUSE:
        # A new session gets a new token, whatever the browser came with (ASVS 7.2.4).
        cookie = visitor.new_token()
        visit = visits.begin(tx, cookie, now=now)
    draft_id = journey.begin(
        tx, visit_id=visit.id, link=link, token=token, definition=definition, now=now
    )
    draft = drafts.find(tx, draft_id, visit.id)
    if draft is None:
        raise RuntimeError("the draft that was just begun is not there")
    first = Flow(definition, draft.progress, now=now).steps[0]
    response = see(path_of(draft_id, first))
    visitor.write_cookie(response, site.base_url, cookie)
    return response
