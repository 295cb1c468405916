"""The steps as the engine runs them: nothing that goes wrong in one may escape into the engine,
whose tables must hold no data of patients."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import structlog
from sqlalchemy.exc import DBAPIError

from fhir_gateway.delivery import backoff
from fhir_gateway.delivery.confirm import confirm
from fhir_gateway.delivery.engine import GIVE_UP, STEPS, StepFunction, Wait
from fhir_gateway.delivery.mapping import map_request
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.delivery.policy import Policy, policy_of
from fhir_gateway.delivery.send import send
from fhir_gateway.delivery.showing import show_quietly
from fhir_gateway.delivery.trace import trace
from fhir_gateway.errors import Defect, GatewayError
from fhir_gateway.store import requests
from fhir_gateway.store.requests import RequestState

_log = structlog.get_logger("delivery")

_SHOWN_WITH_THE_NEXT = ("trace", "send")
_FUNCTIONS = dict(zip(STEPS, (trace, map_request, send, confirm), strict=True))


def bind(parts: Parts) -> Mapping[str, StepFunction]:
    """The steps for the engine, by name."""
    return {name: _guarded(parts, name) for name in STEPS}


def _guarded(parts: Parts, name: str) -> StepFunction:
    step = _caught(parts, name)

    def run(request_id: str, tries: int) -> Wait:
        wait = step(request_id, tries)
        # What was traced is mapped at once, and what was delivered confirmed: it is shown then.
        if wait is not None or name not in _SHOWN_WITH_THE_NEXT:
            show_quietly(parts, request_id)
        return wait

    return run


def _caught(parts: Parts, name: str) -> StepFunction:
    policy = policy_of(name, parts.timing)

    def run(request_id: str, tries: int) -> Wait:
        try:
            wait = _FUNCTIONS[name](parts, request_id, tries)
            if wait is not None and wait >= 0:
                wait = _within_deadline(parts, policy, name, request_id, wait)
        except Exception as error:
            # Only the kind of the error is logged: its text can hold what a patient typed.
            _log.error(
                "step failed",
                step=name,
                request=request_id,
                error=type(error).__name__,
                code=getattr(error, "code", ""),
            )
            return _after_failure(parts, policy, name, request_id, tries, error)
        _log.info("step", step=name, request=request_id, tries=tries, wait=wait)
        return wait

    return run


def _within_deadline(
    parts: Parts, policy: Policy, name: str, request_id: str, wait: float
) -> float:
    """The wait; or, where it would end after the step's deadline, a person's turn."""
    if policy.deadline is None:
        return wait
    now = parts.clock()
    with parts.database.transaction() as tx:
        since = requests.moved_at(tx, request_id)
        if since is None or now + timedelta(seconds=wait) < since + policy.deadline:
            return wait
        detail = f"expired: {name} was tried for {policy.deadline}"
        requests.move(tx, request_id, RequestState.NEEDS_ATTENTION, now=now, detail=detail)
    return GIVE_UP


def _after_failure(
    parts: Parts, policy: Policy, name: str, request_id: str, tries: int, error: Exception
) -> Wait:
    """A defect needs a person at once; what nobody foresaw is tried again; a database that is away
    (DBAPIError) comes back, and until then nothing could be recorded anyway."""
    if isinstance(error, DBAPIError) or (
        not isinstance(error, Defect) and tries < policy.unforeseen
    ):
        return backoff.wait(
            tries, after=None, rng=parts.rng, first=policy.first, longest=policy.longest
        )
    detail = str(error) if isinstance(error, GatewayError) else type(error).__name__
    code = error.code if isinstance(error, GatewayError) else "unforeseen"
    # A confirmation that cannot be sent never fails a request.
    end = RequestState.CONFIRMED if name == "confirm" else RequestState.NEEDS_ATTENTION
    with parts.database.transaction() as tx:
        requests.move(tx, request_id, end, now=parts.clock(), detail=f"{code}: {name}: {detail}")
    return GIVE_UP
