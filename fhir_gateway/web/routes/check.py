"""Check your answers, and send."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from fhir_gateway.delivery.accept import accept
from fhir_gateway.journey import requests as journey
from fhir_gateway.journey.attachments import stored
from fhir_gateway.journey.flow import CHECK, Flow, StepKind
from fhir_gateway.journey.requests import NotReady
from fhir_gateway.questionnaire.response import Address
from fhir_gateway.store import links
from fhir_gateway.web import fields, messages
from fhir_gateway.web.answers import sections
from fhir_gateway.web.components import Drawing, FieldError, first_field
from fhir_gateway.web.fields import Sheet
from fhir_gateway.web.forms import Form
from fhir_gateway.web.routes.language import language_choice
from fhir_gateway.web.site import Opened, Site, open_draft, path_of, see, site_of
from fhir_gateway.web.words import Words

router = APIRouter(include_in_schema=False)


@router.get("/requests/{draft_id}/check")
def show(request: Request, draft_id: str) -> Response:
    """Every answer with a Change link, the declaration, and the button that sends."""
    site = site_of(request)
    with site.database.transaction() as tx:
        opened = open_draft(request, tx, draft_id)
    if isinstance(opened, Response):
        return opened
    first_open = opened.flow.first_open()
    if first_open.kind is not StepKind.CHECK:
        return see(path_of(draft_id, first_open))
    sheet = fields.sheet_of(opened.flow.declarations, opened.flow.definition)
    return _page(site, request, opened, sheet, {})


@router.post("/requests/{draft_id}/check")
def send(request: Request, draft_id: str, form: Form) -> Response:
    """Accept the request: one transaction, then the page with the reference. Sending twice finds
    the draft closed and leads to the same page."""
    site = site_of(request)
    with site.database.transaction() as tx:
        opened = open_draft(request, tx, draft_id, lock=True)
        if isinstance(opened, Response):
            return opened
        posted = fields.read(opened.flow.declarations, form.fields, opened.flow.definition)
        after = journey.answer(
            tx, opened.draft, opened.flow, CHECK, posted.answers, now=site.clock()
        )
        errors = _errors(after, opened.words)
        if errors:
            return _page(site, request, opened, posted.sheet, errors)
        link = links.by_id(tx, opened.draft.link_id)
        try:
            submission = journey.submission(
                opened.draft,
                published(site, opened, after),
                link,
                now=site.clock(),
                files=stored(tx, opened.draft.id),
            )
        except NotReady as not_ready:
            return see(path_of(draft_id, not_ready.step))
        accept(tx, site.engine, opened.draft, submission, now=site.clock())
    return see(f"/requests/{draft_id}/sent")


def published(site: Site, opened: Opened, flow: Flow) -> Flow:
    """The same draft on the Questionnaire as published, not as translated."""
    definition = site.catalogue.definition(opened.draft.questionnaire)
    return Flow(definition, flow.progress, now=flow.now)


def _errors(flow: Flow, words: Words) -> dict[Address, FieldError]:
    nodes = {node.address: node for node in flow.declarations}
    errors: dict[Address, FieldError] = {}
    for issue in flow.page_issues(flow.declarations):
        if issue.address in nodes:
            text = messages.of_issue(issue, nodes[issue.address].item, flow.texts, words)
            errors.setdefault(issue.address, FieldError(text))
    return errors


def _page(
    site: Site,
    request: Request,
    opened: Opened,
    sheet: Sheet,
    errors: Mapping[Address, FieldError],
) -> Response:
    flow = opened.flow
    drawing = Drawing(flow.definition, flow.enablement, flow.texts, sheet, errors, opened.words)
    before = flow.before(CHECK)
    nodes = {node.address: node for node in flow.declarations}
    return site.page(
        request,
        "check.jinja",
        service=opened.service,
        status=422 if errors else 200,
        title=opened.words.say("Check your answers before you send your request"),
        words=opened.words,
        **language_choice(site, opened),
        sections=sections(flow, lambda step: path_of(opened.draft.id, step), opened.words),
        parts=drawing.draw_all(flow.declarations),
        errors=[(e.text, f"#{first_field(nodes[a])}") for a, e in errors.items() if a in nodes],
        action=f"/requests/{opened.draft.id}/check",
        back=path_of(opened.draft.id, before) if before else "",
        has_errors=bool(errors),
    )
