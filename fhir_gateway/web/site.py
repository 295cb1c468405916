"""What every page route needs, in one value: stores, questionnaires, clock, templates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import jinja2
from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from fhir_gateway.delivery.engine import Engine
from fhir_gateway.journey import sessions
from fhir_gateway.journey.flow import Flow, Step, StepKind
from fhir_gateway.journey.limits import TextCaps
from fhir_gateway.journey.sessions import SessionState
from fhir_gateway.provider.service import Service, read_service
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.translation import languages, translated
from fhir_gateway.sms.sender import TextSender
from fhir_gateway.store import drafts, services, visits
from fhir_gateway.store.database import Database, Transaction
from fhir_gateway.store.drafts import Draft, DraftState
from fhir_gateway.web import visitor
from fhir_gateway.web.words import ENGLISH, Words

SEE_OTHER = 303


@dataclass(frozen=True, slots=True)
class Site:
    """The parts that page routes work with."""

    base_url: str
    database: Database
    catalogue: Catalogue
    sender: TextSender
    engine: Engine
    clock: Callable[[], datetime]
    environment: jinja2.Environment
    caps: TextCaps
    #: What is published and its translation, by canonical and language; made when first asked for.
    translations: dict[tuple[str, str], tuple[Definition, Definition]] = field(default_factory=dict)

    def service(self, tx: Transaction, slug: str) -> Service | None:
        """A service by its short name."""
        bundle = services.find(tx, slug)
        return read_service(bundle) if bundle else None

    def definition(self, canonical: str, language: str = "") -> Definition:
        """A Questionnaire as the pages show it, in a language as far as it is translated."""
        published = self.catalogue.definition(canonical)
        if not language or language not in languages(published.raw):
            return published
        key = (published.canonical, language)
        of, known = self.translations.get(key, (None, None))
        if known is None or of is not published:  # it was published anew
            known = Definition(translated(published.raw, language), self.catalogue.registry)
            self.translations[key] = (published, known)
        return known

    def page(
        self,
        request: Request,
        template: str,
        *,
        service: Service | None = None,
        status: int = 200,
        **values: Any,
    ) -> Response:
        """A page; the visitor gets a cookie when there is none, so that its forms can be ours."""
        token = visitor.read_cookie(request, self.base_url)
        fresh = token or visitor.new_token()
        html = self.environment.get_template(template).render(
            csp_nonce=request.scope.get("state", {}).get("csp_nonce", ""),
            form_token=visitor.form_token(self.database.sealer, fresh),
            service=service,
            service_name=service.name if service else None,
            organisation_name=service.organisation_name if service else None,
            **values,
        )
        response = HTMLResponse(html, status_code=status)
        if not token:
            visitor.write_cookie(response, self.base_url, fresh)
        return response


@dataclass(frozen=True, slots=True)
class Opened:
    """A draft that this browser may work on, with its service and its steps."""

    draft: Draft
    service: Service
    flow: Flow
    state: SessionState
    words: Words = ENGLISH


def site_of(request: Request) -> Site:
    """The site that the app was built with."""
    site: Site = request.app.state.site
    return site


def see(path: str) -> Response:
    """Post, redirect, get."""
    return RedirectResponse(path, status_code=SEE_OTHER)


def path_of(draft_id: str, step: Step) -> str:
    """The address of a step; it has no token and no personal data."""
    match step.kind:
        case StepKind.CHECK:
            return f"/requests/{draft_id}/check"
        case StepKind.CODE:
            return f"/requests/{draft_id}/code/{quote(step.name, safe='')}"
        case StepKind.STOP:
            return f"/requests/{draft_id}/stop"
        case _:
            return f"/requests/{draft_id}/page/{quote(step.name, safe='')}"


def open_draft(
    request: Request,
    tx: Transaction,
    draft_id: str,
    *,
    lock: bool = False,
    touch: bool = True,
    stopped: bool = False,
) -> Opened | Response:
    """The draft with this id, when the browser's session may work on it. `stopped`: also when an
    emergency has ended it; `touch` False: also when the session is locked.

    Otherwise the answer to give instead: a helpful page, or where to go. Commit the transaction in
    either case.
    """
    site = site_of(request)
    now = site.clock()
    token = visitor.read_cookie(request, site.base_url)
    visit = visits.find(tx, token) if token else None
    draft = drafts.find(tx, draft_id, visit.id, lock=lock) if visit else None
    if visit is None or draft is None:
        return site.page(request, "session-unknown.jinja", status=404)
    service = site.service(tx, draft.service_slug)
    state = sessions.state(visit, now)
    if draft.state is DraftState.SUBMITTED and state is not SessionState.OVER:
        return see(f"/requests/{draft.id}/sent")
    if draft.state is DraftState.STOPPED and not stopped:
        return see(f"/requests/{draft.id}/stop")
    if service is None or draft.state not in (DraftState.OPEN, DraftState.STOPPED):
        return site.page(request, "request-ended.jinja", service=service, status=410)
    if state is SessionState.OVER:
        saved = draft.saved_until is not None and now < draft.saved_until
        if not saved:
            drafts.close(tx, draft.id, DraftState.DISCARDED, now=now)
        again = f"/r/{draft.progress.link_token}/continue" if saved else ""
        return site.page(request, "session-over.jinja", service=service, status=410, again=again)
    if state is SessionState.LOCKED and touch:
        return see(f"/requests/{draft.id}/unlock")
    if touch:
        visits.touch(tx, visit.id, now=now)
    definition = site.definition(draft.questionnaire, draft.progress.language)
    flow = Flow(definition, draft.progress, now=now)
    return Opened(draft, service, flow, state, Words(draft.progress.language or "en"))


def host_of(base_url: str) -> str:
    """The host that a security code is bound to, without a port."""
    return urlsplit(base_url).hostname or ""
