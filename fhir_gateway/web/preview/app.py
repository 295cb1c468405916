"""The routes of a preview: the same turns, parts and templates as the patient pages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import jinja2
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import Resource, as_str
from fhir_gateway.journey.flow import CHECK, Step, StepKind
from fhir_gateway.web import fields, messages
from fhir_gateway.web import turn as turns
from fhir_gateway.web.answers import CHANGE, sections
from fhir_gateway.web.components import Drawing, FieldError, first_field
from fhir_gateway.web.drawn import Drawn, draw
from fhir_gateway.web.environment import create_environment, mount_assets
from fhir_gateway.web.headers import BodyLimit, SecurityHeaders
from fhir_gateway.web.languages_offered import choice, offered
from fhir_gateway.web.preview.http import (
    NOT_FOUND,
    SEE_OTHER,
    Form,
    files_of,
    only_local,
    path,
    path_of,
    see,
    too_large,
    trial_of,
)
from fhir_gateway.web.preview.trial import Trial
from fhir_gateway.web.uploads import MAX_UPLOAD_BYTES, keep_in_memory
from fhir_gateway.web.words import Words

router = APIRouter(include_in_schema=False)


def create_preview_app(trials: Sequence[Trial]) -> ASGIApp:
    """An app with the pages of some Questionnaires, each below its key."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.trials = {trial.key: trial for trial in trials}
    app.state.environment = create_environment()
    mount_assets(app)
    app.include_router(router)
    limited = BodyLimit(app, max_bytes=MAX_UPLOAD_BYTES, refuse=lambda _: too_large)
    return SecurityHeaders(limited)


@router.get("/")
def index(request: Request) -> Response:
    """The Questionnaires that can be tried, and what lint says of them."""
    only_local(request)
    trials: dict[str, Trial] = request.app.state.trials
    listed = [
        {
            "href": f"/{quote(key, safe='')}/",
            "title": trial.definition.title or key,
            "url": trial.definition.canonical,
            "findings": trial.findings,
        }
        for key, trial in trials.items()
    ]
    return _html(request, "preview-index.jinja", title="Preview", listed=listed)


@router.get("/{key}/")
def begin(request: Request, key: str) -> Response:
    """The first page of a Questionnaire."""
    return see(trial_of(request, key), trial_of(request, key).flow.steps[0])


@router.post("/{key}/again")
def again(request: Request, key: str, form: Form) -> Response:
    """Forget every answer."""
    del form  # only its being ours matters
    trial = trial_of(request, key)
    trial.start_again()
    return see(trial, trial.flow.steps[0])


@router.post("/{key}/language")
def language(request: Request, key: str, form: Form) -> Response:
    """Go on in another language."""
    trial = trial_of(request, key)
    wanted = form.get("language")
    if isinstance(wanted, str) and wanted in offered(trial.definition.raw):
        trial.language = wanted
    return see(trial, trial.flow.first_open())


@router.get("/{key}/response")
def response(request: Request, key: str) -> Response:
    """The QuestionnaireResponse so far, as JSON."""
    return JSONResponse(_plain(trial_of(request, key).with_files()))


@router.get("/{key}/file/{file_id}")
def file(request: Request, key: str, file_id: str) -> Response:
    """An uploaded file."""
    found = trial_of(request, key).files.get(file_id)
    if found is None:
        return Response(status_code=NOT_FOUND)
    return Response(found[1], media_type=found[0])


@router.get("/{key}/page/{name:path}")
def show(request: Request, key: str, name: str, change: str = "") -> Response:
    """A question page."""
    trial = trial_of(request, key)
    flow = trial.flow
    step = flow.step(StepKind.PAGE, name)
    if step is None or not flow.reachable(step):
        return see(trial, flow.first_open())
    shown, sheet = turns.opened(flow, step)
    drawn = draw(shown, step, sheet, {}, words=_words(trial), files=files_of(trial))
    return _page(request, trial, step, drawn, change=bool(change))


@router.post("/{key}/page/{name:path}")
def answer(request: Request, key: str, name: str, form: Form) -> Response:
    """Take the answers of a page."""
    trial = trial_of(request, key)
    flow = trial.flow
    step = flow.step(StepKind.PAGE, name)
    if step is None or not flow.reachable(step):
        return see(trial, flow.first_open())
    words = _words(trial)
    turn = turns.take(flow, step, form, keep=keep_in_memory(trial.files), words=words)
    change = form.get(CHANGE) == "1"
    trial.keep_at_once(step, turn)
    if turn.again:
        drawn = draw(turn.flow, step, turn.sheet, turn.errors, words=words, files=files_of(trial))
        return _page(request, trial, step, drawn, change=change)
    trial.keep(turn.base, step, turn.answers)
    following = turns.following_step(turn, step, change=change)
    if following.kind is StepKind.CODE:
        following = trial.flow.first_open()
    suffix = f"?{CHANGE}=1" if change and following.kind is StepKind.PAGE else ""
    return see(trial, following, suffix)


@router.get("/{key}/stop")
def stop(request: Request, key: str) -> Response:
    """The page that ends a request."""
    trial = trial_of(request, key)
    step = trial.flow.steps[-1]
    if step.kind is not StepKind.STOP:
        return see(trial, trial.flow.first_open())
    drawn = draw(trial.flow, step, fields.Sheet(), {}, words=_words(trial))
    return _html(
        request,
        "preview-stop.jinja",
        trial=trial,
        title=drawn.title,
        drawn=drawn,
        again=f"/{quote(trial.key, safe='')}/",
    )


@router.get("/{key}/check")
def check(request: Request, key: str) -> Response:
    """Check your answers."""
    trial = trial_of(request, key)
    flow = trial.flow
    if flow.first_open().kind is not StepKind.CHECK:
        return see(trial, flow.first_open())
    sheet = fields.sheet_of(flow.declarations, flow.definition)
    return _check(request, trial, sheet, {})


@router.post("/{key}/check")
def send(request: Request, key: str, form: Form) -> Response:
    """The end: the response, and what validation says of it."""
    trial = trial_of(request, key)
    flow = trial.flow
    posted = fields.read(flow.declarations, form, flow.definition)
    trial.keep(flow, CHECK, posted.answers)
    after, words = trial.flow, _words(trial)
    nodes = {node.address: node for node in after.declarations}
    errors = {
        i.address: FieldError(messages.of_issue(i, nodes[i.address].item, after.texts, words))
        for i in reversed(after.page_issues(after.declarations))
        if i.address in nodes
    }
    if errors:
        return _check(request, trial, posted.sheet, errors)
    open_step = after.first_open()
    if open_step.kind is not StepKind.CHECK:
        return see(trial, open_step)
    return RedirectResponse(path(trial, "end"), status_code=SEE_OTHER)


@router.get("/{key}/end")
def end(request: Request, key: str) -> Response:
    """The completed response."""
    trial = trial_of(request, key)
    return _html(request, "preview-end.jinja", trial=trial, title="Completed")


def _check(
    request: Request, trial: Trial, sheet: fields.Sheet, errors: dict[Any, FieldError]
) -> Response:
    flow, words = trial.flow, _words(trial)
    drawing = Drawing(flow.definition, flow.enablement, flow.texts, sheet, errors, words)
    before = flow.before(CHECK) if CHECK in flow.steps else None
    nodes = {node.address: node for node in flow.declarations}
    return _html(
        request,
        "preview-check.jinja",
        trial=trial,
        status=422 if errors else 200,
        title=words.say("Check your answers before you send your request"),
        sections=sections(flow, lambda step: path_of(trial, step), words),
        parts=drawing.draw_all(flow.declarations),
        errors=[(e.text, f"#{first_field(nodes[a])}") for a, e in errors.items()],
        action=path(trial, "check"),
        back=path_of(trial, before) if before else "",
        has_errors=bool(errors),
    )


def _page(request: Request, trial: Trial, step: Step, drawn: Drawn, *, change: bool) -> Response:
    before = trial.flow.before(step)
    return _html(
        request,
        "preview-question.jinja",
        trial=trial,
        status=422 if drawn.errors else 200,
        drawn=drawn,
        title=drawn.title,
        errors=drawn.errors,
        action=path_of(trial, step),
        back=path(trial, "check") if change else path_of(trial, before) if before else "/",
        change=change,
        has_errors=bool(drawn.errors),
    )


def _html(
    request: Request,
    template: str,
    *,
    trial: Trial | None = None,
    status: int = 200,
    **values: Any,
) -> Response:
    environment: jinja2.Environment = request.app.state.environment
    if trial is not None:
        values.update(
            response=json.dumps(_plain(trial.response()), indent=2, ensure_ascii=False),
            judged=trial.judged(),
            start_again=path(trial, "again"),
            raw=path(trial, "response"),
            words=_words(trial),
            languages=choice(trial.definition.raw, trial.language),
            language_action=path(trial, "language"),
        )
    html = environment.get_template(template).render(
        csp_nonce=request.scope.get("state", {}).get("csp_nonce", ""),
        form_token="",
        preview=True,
        service_name=trial.definition.title if trial else "Preview",
        **values,
    )
    return HTMLResponse(html, status_code=status)


def _words(trial: Trial) -> Words:
    return Words(trial.language or as_str(trial.definition.raw.get("language")) or "en")


def _plain(resource: Resource) -> Any:
    """The resource as any JSON writer takes it."""
    return json.loads(fhir_json.dump(resource))
