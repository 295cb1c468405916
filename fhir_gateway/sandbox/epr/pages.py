"""The inbox for staff: a list of requests, one request, and marking it as in progress or done."""

from __future__ import annotations

from typing import Annotated

import jinja2
from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from fhir_gateway.sandbox.epr import moments
from fhir_gateway.sandbox.epr.case import read_case
from fhir_gateway.sandbox.epr.inbox import read_listing
from fhir_gateway.sandbox.epr.references import Key
from fhir_gateway.sandbox.epr.storage import Storage

NAME = "Sandbox EPR inbox"
NOTE = "A stand-in for a hospital's record system, for testing. Everyone in it is made up."
#: Which marks staff can set, and from which states of a Task; a Task never goes back
#: (https://hl7.org/fhir/R4/task.html#statemachine).
_MARKS = {
    "in-progress": ("draft", "requested", "received", "accepted", "ready", "on-hold"),
    "completed": ("draft", "requested", "received", "accepted", "ready", "on-hold", "in-progress"),
}

router = APIRouter()


@router.get("/")
def inbox(request: Request, page: str = "1") -> Response:
    """All requests, newest first."""
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 9 else 1  # noqa: PLR2004
    with _storage(request).session() as session:
        listing = read_listing(session, number)
    return render(request, "inbox.jinja", title="Requests from patients", listing=listing)


@router.get("/tasks/{task_id}")
def request_page(request: Request, task_id: str) -> Response:
    """One request."""
    with _storage(request).session() as session:
        case = read_case(session, Key("Task", task_id))
    if case is None:
        return not_found(request)
    return render(request, "request.jinja", title=f"Request {case.line.reference}", case=case)


@router.post("/tasks/{task_id}/status")
def mark(request: Request, task_id: str, status: Annotated[str, Form()] = "") -> Response:
    """Mark a request; one that is further on already stays as it is."""
    if _is_from_elsewhere(request) or status not in _MARKS:
        return message(
            request,
            400,
            "The request was not changed",
            "Go back to the inbox, open the request and use the buttons there.",
        )
    key = Key("Task", task_id)
    with _storage(request).session() as session:
        version = session.latest(key)
        if version is None or version.resource is None:
            return not_found(request)
        if version.resource.get("status") in _MARKS[status]:
            changed = {"status": status, "lastModified": moments.instant(session.now())}
            session.write(key, {**version.resource, **changed}, "PUT")
    return RedirectResponse(f"/tasks/{task_id}", status_code=303)


def not_found(request: Request) -> Response:
    """A page for an address that leads nowhere."""
    return message(
        request,
        404,
        "Page not found",
        "If you typed the web address, check it is correct. The request may have been deleted.",
    )


def message(request: Request, status: int, title: str, text: str) -> Response:
    """A page that says one thing, with the way back to the inbox."""
    return render(request, "message.jinja", status=status, title=title, text=text)


def render(request: Request, template: str, *, status: int = 200, **values: object) -> Response:
    """A page from its template."""
    environment: jinja2.Environment = request.app.state.environment
    html = environment.get_template(template).render(
        csp_nonce=nonce(request),
        service_name=NAME,
        footer_text=NOTE,
        **values,
    )
    return HTMLResponse(html, status_code=status)


def nonce(request: Request) -> str:
    """What the content security policy of this answer lets scripts run by."""
    return str(request.scope.get("state", {}).get("csp_nonce", ""))


def _is_from_elsewhere(request: Request) -> bool:
    """Whether the browser says that a page of another site sent this form.

    https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header; Origin would be `null` even for our
    own forms, since the pages' referrer policy is no-referrer.
    """
    return request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")


def _storage(request: Request) -> Storage:
    storage: Storage = request.app.state.storage
    return storage
