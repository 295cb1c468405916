"""What the preview's routes share: whose requests are taken, addresses, forms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from fhir_gateway.journey.flow import Step, StepKind
from fhir_gateway.web.headers import MAX_FIELDS, MAX_FILES
from fhir_gateway.web.preview.trial import Trial

SEE_OTHER, NOT_FOUND, FORBIDDEN = 303, 404, 403
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})

too_large = PlainTextResponse("What was sent is too large.\n", status_code=413)


def trial_of(request: Request, key: str) -> Trial:
    """The Questionnaire with this key; only for browsers of this machine, whatever name another
    site gave this address (DNS rebinding)."""
    only_local(request)
    trials: dict[str, Trial] = request.app.state.trials
    if key not in trials:
        raise HTTPException(NOT_FOUND)
    return trials[key]


def only_local(request: Request) -> None:
    """Refuse requests for another host's name."""
    if urlsplit(f"//{request.headers.get('host', '')}").hostname not in _LOCAL:
        raise HTTPException(FORBIDDEN)


async def own_form(request: Request) -> AsyncIterator[FormData]:
    """The posted form, when it comes from one of these pages; its files end with the request."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    foreign = origin not in (None, "null") and urlsplit(origin or "").hostname not in _LOCAL
    if foreign or site not in (None, "same-origin", "none"):
        raise HTTPException(FORBIDDEN)
    async with request.form(max_files=MAX_FILES, max_fields=MAX_FIELDS) as form:
        yield form


Form = Annotated[FormData, Depends(own_form)]


def path(trial: Trial, rest: str) -> str:
    """An address below a Questionnaire's key."""
    return f"/{quote(trial.key, safe='')}/{rest}"


def path_of(trial: Trial, step: Step) -> str:
    """The address of a step."""
    match step.kind:
        case StepKind.CHECK:
            return path(trial, "check")
        case StepKind.STOP:
            return path(trial, "stop")
        case _:
            return path(trial, f"page/{quote(step.name, safe='')}")


def see(trial: Trial, step: Step, suffix: str = "") -> Response:
    """Post, redirect, get."""
    return RedirectResponse(path_of(trial, step) + suffix, status_code=SEE_OTHER)


def files_of(trial: Trial) -> Callable[[str], str]:
    """Where the files of a trial can be looked at."""
    return lambda url: path(trial, f"file/{quote(url.lstrip('#'), safe='')}")
