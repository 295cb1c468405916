"""The question pages, generated from the Questionnaire; no route knows a linkId."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from fhir_gateway.journey import attachments
from fhir_gateway.journey import requests as journey
from fhir_gateway.journey.flow import Step, StepKind
from fhir_gateway.questionnaire.response import with_answers
from fhir_gateway.store import attachments as stored_files
from fhir_gateway.store.database import Transaction
from fhir_gateway.web import turn as turns
from fhir_gateway.web.answers import CHANGE
from fhir_gateway.web.drawn import Drawn, draw
from fhir_gateway.web.forms import Form
from fhir_gateway.web.routes.code import code_note, send_code
from fhir_gateway.web.routes.language import language_choice
from fhir_gateway.web.site import Opened, Site, open_draft, path_of, see, site_of
from fhir_gateway.web.turn import Turn
from fhir_gateway.web.uploads import keeper

router = APIRouter(include_in_schema=False)
NOT_FOUND = 404


@router.get("/requests/{draft_id}/page/{name:path}")
def show(request: Request, draft_id: str, name: str, change: str = "") -> Response:
    """A question page with what was answered before."""
    site = site_of(request)
    with site.database.transaction() as tx:
        opened = open_draft(request, tx, draft_id)
    if isinstance(opened, Response):
        return opened
    step = opened.flow.step(StepKind.PAGE, name)
    if step is None or not opened.flow.reachable(step):
        return see(path_of(draft_id, opened.flow.first_open()))
    flow, sheet = turns.opened(opened.flow, step)
    drawn = draw(flow, step, sheet, {}, words=opened.words, files=_files(opened))
    return _page(site, request, opened, step, drawn, change=bool(change))


@router.post("/requests/{draft_id}/page/{name:path}")
def answer(request: Request, draft_id: str, name: str, form: Form) -> Response:
    """Take the answers of a page and go on, or show it again with what is wrong."""
    site = site_of(request)
    change = form.text(CHANGE) == "1"
    with site.database.transaction() as tx:
        opened = open_draft(request, tx, draft_id, lock=True)
        if isinstance(opened, Response):
            return opened
        step = opened.flow.step(StepKind.PAGE, name)
        if step is None or step.page is None or not opened.flow.reachable(step):
            return see(path_of(draft_id, opened.flow.first_open()))
        keep = keeper(attachments.keep(tx, opened.draft, now=site.clock()))
        turn = turns.take(opened.flow, step, form.fields, keep=keep, words=opened.words)
        _keep_at_once(site, tx, opened, turn)
        if not turn.again:
            journey.answer(tx, opened.draft, turn.base, step, turn.answers, now=site.clock())
        following = turns.following_step(turn, step, change=change)
        if not turn.again and following.kind is StepKind.STOP:
            journey.stop(tx, opened.draft, turn.flow, following, now=site.clock())
    if turn.again:
        drawn = draw(
            turn.flow, step, turn.sheet, turn.errors, words=opened.words, files=_files(opened)
        )
        return _page(site, request, opened, step, drawn, change=change)
    if following.kind is StepKind.CODE and following.contact:
        sending = send_code(request, site, opened, following.contact)
        return see(path_of(draft_id, following) + code_note(sending))
    suffix = f"?{CHANGE}=1" if change and following.kind is StepKind.PAGE else ""
    return see(path_of(draft_id, following) + suffix)


def _keep_at_once(site: Site, tx: Transaction, opened: Opened, turn: Turn) -> None:
    """What was uploaded or removed is kept at once: a browser cannot send a file twice, and what
    is gone must not come back."""
    if turn.shortened is not None:
        attachments.keep_response(tx, opened.draft, turn.shortened, now=site.clock())
    elif turn.files:
        response = with_answers(turn.base.tree, turn.files)
        attachments.keep_response(tx, opened.draft, response, now=site.clock())


@router.get("/requests/{draft_id}/file/{file_id}")
def file(request: Request, draft_id: str, file_id: str) -> Response:
    """A file that was uploaded, for who uploaded it."""
    site = site_of(request)
    with site.database.transaction() as tx:
        opened = open_draft(request, tx, draft_id)
        if isinstance(opened, Response):
            return opened
        found = stored_files.find(tx, file_id, draft_id)
    if found is None:
        raise HTTPException(NOT_FOUND)
    # A picture was written by us; a document comes from outside, so no browser opens it in place.
    kind = "inline" if found.content_type.startswith("image/") else "attachment"
    return Response(
        found.data,
        media_type=found.content_type,
        headers={
            "Content-Disposition": kind,
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


def _files(opened: Opened) -> Callable[[str], str]:
    return lambda url: f"/requests/{opened.draft.id}/file/{quote(url.lstrip('#'), safe='')}"


def _page(
    site: Site, request: Request, opened: Opened, step: Step, drawn: Drawn, *, change: bool
) -> Response:
    before = opened.flow.before(step)
    back = path_of(opened.draft.id, before) if before else f"/r/{opened.draft.progress.link_token}"
    if change:
        back = f"/requests/{opened.draft.id}/check"
    return site.page(
        request,
        "question.jinja",
        service=opened.service,
        status=422 if drawn.errors else 200,
        drawn=drawn,
        title=drawn.title,
        errors=drawn.errors,
        action=path_of(opened.draft.id, step),
        back=back,
        words=opened.words,
        **language_choice(site, opened),
        save=f"/requests/{opened.draft.id}/save",
        change=change,
        has_errors=bool(drawn.errors),
    )
