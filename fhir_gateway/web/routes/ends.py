"""Where a request ends: sent, stopped because of an emergency, locked for a while, or deleted."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from fhir_gateway.journey.flow import Flow, Step, StepKind
from fhir_gateway.journey.sessions import MAX_UNLOCK_TRIES, SessionState
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.response import Node
from fhir_gateway.store import drafts, requests, visits
from fhir_gateway.store.drafts import DraftState
from fhir_gateway.web import fields, visitor
from fhir_gateway.web.components import Drawing, FieldError, first_field
from fhir_gateway.web.drawn import draw
from fhir_gateway.web.forms import Form
from fhir_gateway.web.site import Opened, Site, open_draft, path_of, see, site_of

router = APIRouter(include_in_schema=False)


@router.get("/requests/{draft_id}/stop")
def stop(request: Request, draft_id: str) -> Response:
    """Get help now: the request has ended; looking again counts nothing."""
    site = site_of(request)
    with site.database.transaction() as tx:
        opened = open_draft(request, tx, draft_id, stopped=True)
    if isinstance(opened, Response):
        return opened
    step = opened.flow.steps[-1]
    if step.kind is not StepKind.STOP:
        return see(path_of(draft_id, opened.flow.first_open()))
    return _stop_page(site, request, opened, step)


@router.post("/requests/{draft_id}/discard")
def discard(request: Request, draft_id: str, form: Form) -> Response:
    """Delete what was typed, at the person's wish."""
    del form  # only its being ours matters
    site = site_of(request)
    with site.database.transaction() as tx:
        opened = open_draft(request, tx, draft_id, lock=True, touch=False)
        if isinstance(opened, Response):
            return opened
        drafts.close(tx, draft_id, DraftState.DISCARDED, now=site.clock())
    return see(f"/r/{opened.draft.progress.link_token}")


@router.get("/requests/{draft_id}/sent")
def sent(request: Request, draft_id: str) -> Response:
    """The request was sent: the reference and what happens next. Looking changes nothing."""
    site = site_of(request)
    token = visitor.read_cookie(request, site.base_url)
    with site.database.transaction() as tx:
        visit = visits.find(tx, token) if token else None
        draft = drafts.find(tx, draft_id, visit.id) if visit else None
        accepted = requests.by_draft(tx, draft_id) if draft else None
        if draft is None or accepted is None:
            return site.page(request, "session-unknown.jinja", status=404)
        service = site.service(tx, draft.service_slug)
    return site.page(
        request, "sent.jinja", service=service, title="Request sent", reference=accepted.reference
    )


@router.get("/requests/{draft_id}/unlock")
def locked(request: Request, draft_id: str) -> Response:
    """Nobody was here for a while: who goes on?"""
    site = site_of(request)
    with site.database.transaction() as tx:
        opened = open_draft(request, tx, draft_id, touch=False)
    if isinstance(opened, Response):
        return opened
    if opened.state is SessionState.ACTIVE:
        return see(path_of(draft_id, opened.flow.first_open()))
    return _locked_page(site, request, opened)


@router.post("/requests/{draft_id}/unlock")
def unlock(request: Request, draft_id: str, form: Form) -> Response:
    """Go on, when the answer that unlocks is the same as before; after too many wrong ones the
    draft is deleted."""
    site = site_of(request)
    with site.database.transaction() as tx:
        opened = open_draft(request, tx, draft_id, lock=True, touch=False)
        if isinstance(opened, Response):
            return opened
        asked = unlocking(opened.flow)
        if asked and not _same_answer(opened.flow, asked, form):
            if drafts.count_unlock_try(tx, draft_id) >= MAX_UNLOCK_TRIES:
                drafts.close(tx, draft_id, DraftState.DISCARDED, now=site.clock())
                return site.page(request, "session-over.jinja", service=opened.service, status=410)
            return _locked_page(site, request, opened, wrong=True)
        visits.touch(tx, opened.draft.visit_id, now=site.clock())
    return see(path_of(draft_id, opened.flow.first_open()))


def unlocking(flow: Flow) -> Node | None:
    """The answered item that opens a locked draft, if the person has answered it."""
    return next(
        (
            node
            for node in flow.enablement.enabled()
            if node.item.extension(ext.UNLOCKS) is True and node.answers
        ),
        None,
    )


def _same_answer(flow: Flow, asked: Node, form: Form) -> bool:
    posted = fields.read([asked], form.fields, flow.definition)
    return not posted.problems and posted.answers.get(asked.address) == asked.answers


def _locked_page(site: Site, request: Request, opened: Opened, *, wrong: bool = False) -> Response:
    asked = unlocking(opened.flow)
    flow = opened.flow
    errors = (
        {asked.address: FieldError("This is not what you gave before. Check it and try again")}
        if asked and wrong
        else {}
    )
    drawing = Drawing(flow.definition, flow.enablement, flow.texts, fields.Sheet(), errors)
    return site.page(
        request,
        "locked.jinja",
        service=opened.service,
        status=422 if errors else 200,
        title="Do you want to go on with your request?",
        parts=drawing.draw(asked, heading=False) if asked else [],
        errors=[(e.text, f"#{first_field(asked)}") for e in errors.values()] if asked else [],
        action=f"/requests/{opened.draft.id}/unlock",
        discard=f"/requests/{opened.draft.id}/discard",
        has_errors=bool(errors),
    )


def _stop_page(site: Site, request: Request, opened: Opened, step: Step) -> Response:
    drawn = draw(opened.flow, step, fields.Sheet(), {})
    return site.page(
        request,
        "stop.jinja",
        service=opened.service,
        title=drawn.title,
        drawn=drawn,
        again=f"/r/{opened.draft.progress.link_token}",
    )
