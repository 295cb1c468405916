"""The question pages, generated from the Questionnaire; no route knows a linkId."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from fhir_gateway.journey import requests as journey
from fhir_gateway.journey.flow import Flow, Step, StepKind
from fhir_gateway.questionnaire.response import Address, Node
from fhir_gateway.web import fields, messages
from fhir_gateway.web.components import Drawing, FieldError, Part, first_field
from fhir_gateway.web.fields import Posted
from fhir_gateway.web.forms import Form
from fhir_gateway.web.routes.code import code_note, send_code
from fhir_gateway.web.site import Opened, Site, open_draft, path_of, see, site_of

router = APIRouter(include_in_schema=False)

#: A page that was opened from the check page returns there.
CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page ready for its template."""

    title: str
    caption: str
    heading_in_field: bool
    parts: list[Part]
    errors: list[tuple[str, str]]


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
    typed = fields.typed_values(step.page.questions if step.page else [], opened.flow.definition)
    return _page(site, request, opened, step, typed, {}, change=bool(change))


@router.post("/requests/{draft_id}/page/{name:path}")
def answer(request: Request, draft_id: str, name: str, form: Form) -> Response:
    """Take the answers of a page and go on, or show it again with what is wrong."""
    site = site_of(request)
    with site.database.transaction() as tx:
        opened = open_draft(request, tx, draft_id, lock=True)
        if isinstance(opened, Response):
            return opened
        step = opened.flow.step(StepKind.PAGE, name)
        if step is None or step.page is None or not opened.flow.reachable(step):
            return see(path_of(draft_id, opened.flow.first_open()))
        posted = fields.read(_answerable(opened.flow, step), form.fields, opened.flow.definition)
        if posted.problems:
            after, errors = opened.flow, _errors(opened.flow, step, posted)
        else:
            after = journey.answer(
                tx, opened.draft, opened.flow, step, posted.answers, now=site.clock()
            )
            errors = _errors(after, step, posted)
        change = form.text(CHANGE) == "1"
        following = _next(after, step, opened.flow, change=change)
        if not errors and following.kind is StepKind.STOP:
            journey.stop(tx, opened.draft, after, following, now=site.clock())
    if errors:
        return _page(site, request, opened, step, posted.typed, errors, change=change, flow=after)
    if following.kind is StepKind.CODE and following.contact:
        sending = send_code(request, site, opened, following.contact)
        return see(path_of(draft_id, following) + code_note(sending))
    suffix = f"?{CHANGE}=1" if change and following.kind is StepKind.PAGE else ""
    return see(path_of(draft_id, following) + suffix)


def _answerable(flow: Flow, step: Step) -> list[Node]:
    """The questions that the page showed: those that are enabled now."""
    questions = step.page.questions if step.page else []
    return [node for node in questions if flow.enablement.is_enabled(node)]


def _next(after: Flow, step: Step, before: Flow, *, change: bool) -> Step:
    """Where to go: on to the next step, or, after a change, to what became open, then back to the
    check page. A page on which a new question appeared is shown again first."""
    here = after.step(StepKind.PAGE, step.name)
    if here is None:
        return after.first_open()
    shown = {node.address for node in _answerable(before, step)}
    appeared = [
        node for node in _answerable(after, here) if node.address not in shown and not node.answers
    ]
    if appeared:
        return here
    return after.first_open() if change else after.after(here)


def _errors(flow: Flow, step: Step, posted: Posted) -> dict[Address, FieldError]:
    """The first error of each question or group of the page."""
    page_nodes = step.page.nodes if step.page else ()
    nodes = {node.address: node for page_node in page_nodes for node in page_node.walk()}
    errors: dict[Address, FieldError] = {}
    for problem in posted.problems:
        text = messages.of_problem(problem, nodes[problem.address].item, flow.texts)
        errors.setdefault(problem.address, FieldError(text, problem.parts))
    if posted.problems:
        # The other questions of the page are judged too, so that one round shows everything.
        flow = journey.tried(flow, step, posted.answers)
    here = flow.step(StepKind.PAGE, step.name)
    if here is None or here.page is None:
        return errors
    for issue in flow.page_issues(here.page.nodes):
        address = issue.address or ()
        if address in nodes:
            text = messages.of_issue(issue, nodes[address].item, flow.texts)
            errors.setdefault(address, FieldError(text))
    # A group needs no error of its own when a question in it has one. In document order.
    return {
        address: errors[address]
        for address in nodes
        if address in errors and not _below(address, errors)
    }


def _below(address: Address, errors: Mapping[Address, FieldError]) -> bool:
    """Whether something under this address is wrong too."""
    return any(other[: len(address)] == address and other != address for other in errors)


def _page(
    site: Site,
    request: Request,
    opened: Opened,
    step: Step,
    typed: Mapping[str, list[str]],
    errors: Mapping[Address, FieldError],
    *,
    change: bool,
    flow: Flow | None = None,
) -> Response:
    before = opened.flow.before(step)
    back = path_of(opened.draft.id, before) if before else f"/r/{opened.draft.progress.link_token}"
    if change:
        back = f"/requests/{opened.draft.id}/check"
    drawn = draw(flow or opened.flow, step, typed, errors)
    return site.page(
        request,
        "question.jinja",
        service=opened.service,
        status=422 if errors else 200,
        drawn=drawn,
        title=drawn.title,
        errors=drawn.errors,
        action=path_of(opened.draft.id, step),
        back=back,
        change=change,
        has_errors=bool(errors),
    )


def draw(
    flow: Flow,
    step: Step,
    typed: Mapping[str, list[str]],
    errors: Mapping[Address, FieldError],
) -> Drawn:
    """A page of a Questionnaire as parts of the design system. One question alone carries the
    page's heading in its label or legend (NHS service manual, question pages)."""
    here = flow.step(step.kind, step.name) or step
    nodes: Sequence[Node] = here.page.nodes if here.page else ()
    main = here.page.main if here.page else None
    drawing = Drawing(flow.definition, flow.enablement, flow.texts, typed, errors)
    parts = [part for node in nodes for part in drawing.draw(node, heading=node is main)]
    by_address = {n.address: n for node in nodes for n in node.walk()}
    section = here.page.section if here.page else None
    return Drawn(
        title=flow.texts.text(main.item) if main else "",
        caption=flow.texts.text(section) if section else "",
        heading_in_field=main is not None and main.item.is_question,
        parts=parts,
        errors=[
            (error.text, _target(by_address[address], error))
            for address, error in errors.items()
            if address in by_address
        ],
    )


def _target(node: Node, error: FieldError) -> str:
    if error.parts and node.item.type == "date":
        return f"#{fields.field_id(node)}-{error.parts[0]}"
    return f"#{first_field(node)}"
