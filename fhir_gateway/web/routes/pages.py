"""The question pages, generated from the Questionnaire; no route knows a linkId."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from fhir_gateway.journey import requests as journey
from fhir_gateway.journey.flow import Step, StepKind
from fhir_gateway.web import turn as turns
from fhir_gateway.web.answers import CHANGE
from fhir_gateway.web.drawn import Drawn, draw
from fhir_gateway.web.forms import Form
from fhir_gateway.web.routes.code import send_code
from fhir_gateway.web.site import Opened, Site, open_draft, path_of, see, site_of

router = APIRouter(include_in_schema=False)


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
    drawn = draw(flow, step, sheet, {})
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
        turn = turns.take(opened.flow, step, form.fields)
        if not turn.again:
            journey.answer(tx, opened.draft, turn.base, step, turn.answers, now=site.clock())
        following = turns.following_step(turn, step, change=change)
        if not turn.again and following.kind is StepKind.STOP:
            journey.stop(tx, opened.draft, turn.flow, following, now=site.clock())
    if turn.again:
        drawn = draw(turn.flow, step, turn.sheet, turn.errors)
        return _page(site, request, opened, step, drawn, change=change)
    if following.kind is StepKind.CODE and following.contact:
        send_code(request, site, opened, following.contact)
    suffix = f"?{CHANGE}=1" if change and following.kind is StepKind.PAGE else ""
    return see(path_of(draft_id, following) + suffix)


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
        change=change,
        has_errors=bool(drawn.errors),
    )
