"""The security code: typed, sent again, or gone without.

Sending happens on a POST only. Whether a code was sent or a limit was reached, the page is the
same (ASVS 6.3.8).
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from fhir_gateway.journey import codes
from fhir_gateway.journey import requests as journey
from fhir_gateway.journey.codes import Checking, CodeText, Sending
from fhir_gateway.journey.flow import Contact, Flow, Step, StepKind
from fhir_gateway.store import visits
from fhir_gateway.web import visitor
from fhir_gateway.web.forms import Form
from fhir_gateway.web.site import Opened, Site, host_of, open_draft, path_of, see, site_of

router = APIRouter(include_in_schema=False)

FIELD = "security-code"
WORDS = {
    Checking.MALFORMED: "Enter the 6 digit security code from the text message",
    Checking.WRONG: "The security code is incorrect. Check it and enter it again",
    Checking.EXPIRED: "The security code has expired. Ask for a new one",
    Checking.TOO_MANY_TRIES: (
        "The security code was entered incorrectly too many times. Ask for a new one"
    ),
}
_NOT_SENT = "not-sent"


def send_code(request: Request, site: Site, opened: Opened, contact: Contact) -> Sending:
    """Text a code to the contact. Call outside of a transaction: it talks to the network."""
    return codes.send(
        site.database,
        site.sender,
        opened.draft,
        contact.number,
        address=request.client.host if request.client else "",
        words=CodeText(opened.service.name, host_of(site.base_url)),
        caps=site.caps,
        now=site.clock(),
    )


def code_note(sending: Sending) -> str:
    """What the address of the code page says of a text that could not be sent: whoever waits for it
    must be told what to do. Over a limit the page looks as ever."""
    return f"?again={_NOT_SENT}" if sending is Sending.FAILED else ""


@router.get("/requests/{draft_id}/code/{name:path}")
def show(request: Request, draft_id: str, name: str, again: str = "") -> Response:
    """The page that asks for the code. Nothing is sent by looking at it."""
    site = site_of(request)
    found = _code_step(request, site, draft_id, name)
    if isinstance(found, Response):
        return found
    opened, step = found
    return _page(site, request, opened, step, again=again)


@router.post("/requests/{draft_id}/code/{name:path}")
def act(request: Request, draft_id: str, name: str, form: Form) -> Response:
    """What the pressed button says: check the code, send a new one, or go on without."""
    site = site_of(request)
    found = _code_step(request, site, draft_id, name)
    if isinstance(found, Response):
        return found
    opened, step = found
    match form.text("do"):
        case "resend":
            return _resend(request, site, opened, step)
        case "skip":
            return _skip(request, site, draft_id, step)
        case _:
            return _check(request, site, opened, step, form)


def _code_step(
    request: Request, site: Site, draft_id: str, name: str
) -> tuple[Opened, Step] | Response:
    with site.database.transaction() as tx:
        opened = open_draft(request, tx, draft_id)
    if isinstance(opened, Response):
        return opened
    step = opened.flow.step(StepKind.CODE, name)
    if step is None or not opened.flow.reachable(step):
        return see(path_of(draft_id, opened.flow.first_open()))
    return opened, step


def _resend(request: Request, site: Site, opened: Opened, step: Step) -> Response:
    sending = Sending.FAILED
    if step.contact:
        sending = send_code(request, site, opened, step.contact)
    return see(path_of(opened.draft.id, step) + (code_note(sending) or "?again=sent"))


def _skip(request: Request, site: Site, draft_id: str, step: Step) -> Response:
    with site.database.transaction() as tx:
        opened = open_draft(request, tx, draft_id, lock=True)
        if isinstance(opened, Response):
            return opened
        after = journey.answer_without_code(tx, opened.draft, opened.flow, step, now=site.clock())
    return see(path_of(draft_id, _following(after, step)))


def _check(request: Request, site: Site, opened: Opened, step: Step, form: Form) -> Response:
    typed = form.text(FIELD)
    number = step.contact.number if step.contact else ""
    draft = opened.draft
    outcome = codes.check(site.database, draft.id, draft.visit_id, number, typed, now=site.clock())
    if outcome is not Checking.ACCEPTED:
        return _page(site, request, opened, step, error=WORDS[outcome])
    fresh = visitor.new_token()
    with site.database.transaction() as tx:
        # What the browser knew before it proved the number is worth nothing now (ASVS 7.2.4).
        visits.rotate(tx, draft.visit_id, fresh)
    draft.progress.verified[number] = ""
    after = Flow(opened.flow.definition, draft.progress, now=site.clock())
    response = see(path_of(draft.id, _following(after, step)))
    visitor.write_cookie(response, site.base_url, fresh)
    return response


def _following(after: Flow, step: Step) -> Step:
    """The step after the page that asked for the code; the first open one when that page, or one
    before it, is no longer done."""
    here = after.step(StepKind.PAGE, step.name)
    first = after.first_open()
    if here is None or not after.is_done(here):
        return first
    if all(after.is_done(s) for s in after.steps[:-1]):
        return first
    return after.after(here)


def _page(
    site: Site, request: Request, opened: Opened, step: Step, *, error: str = "", again: str = ""
) -> Response:
    asked = opened.flow.step(StepKind.PAGE, step.name)
    return site.page(
        request,
        "code.jinja",
        service=opened.service,
        status=422 if error else 200,
        title="Enter your security code",
        action=path_of(opened.draft.id, step),
        back=path_of(opened.draft.id, asked or step),
        change_number=_number_page(opened, step),
        field=FIELD,
        error=error,
        has_errors=bool(error),
        again=again,
    )


def _number_page(opened: Opened, step: Step) -> str:
    """The page on which the number was given, to change it."""
    link_id = step.contact.link_id if step.contact else ""
    for other in opened.flow.steps:
        questions = other.page.questions if other.page and other.kind is StepKind.PAGE else []
        if any(node.item.link_id == link_id for node in questions):
            return path_of(opened.draft.id, other)
    return path_of(opened.draft.id, opened.flow.first_open())
