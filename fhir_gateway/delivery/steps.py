"""The steps as the engine runs them: nothing that goes wrong in one may escape into the engine,
whose tables must hold no data of patients."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from fhir_gateway.delivery import backoff
from fhir_gateway.delivery.confirm import confirm
from fhir_gateway.delivery.engine import GIVE_UP, STEPS, StepFunction, Wait
from fhir_gateway.delivery.mapping import map_request
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.delivery.send import send
from fhir_gateway.delivery.trace import trace
from fhir_gateway.errors import Defect, GatewayError
from fhir_gateway.store import requests
from fhir_gateway.store.requests import RequestState

_log = structlog.get_logger("delivery")
#: Tries of a step that fails in a way nobody foresaw, before a person is asked.
UNFORESEEN_TRIES = 8

_FUNCTIONS = dict(zip(STEPS, (trace, map_request, send, confirm), strict=True))


def bind(parts: Parts) -> Mapping[str, StepFunction]:
    """The steps for the engine, by name."""
    return {name: _guarded(parts, name) for name in STEPS}


def _guarded(parts: Parts, name: str) -> StepFunction:
    def run(request_id: str, tries: int) -> Wait:
        try:
            wait = _FUNCTIONS[name](parts, request_id, tries)
        except Exception as error:
            # Only the kind of the error is logged: its text can hold what a patient typed.
            _log.error(
                "step failed",
                step=name,
                request=request_id,
                error=type(error).__name__,
                code=getattr(error, "code", ""),
            )
            return _after_failure(parts, name, request_id, tries, error)
        _log.info("step", step=name, request=request_id, tries=tries, wait=wait)
        return wait

    return run


def _after_failure(parts: Parts, name: str, request_id: str, tries: int, error: Exception) -> Wait:
    """A defect needs a person at once; what nobody foresaw (a lost database) is tried again."""
    if not isinstance(error, Defect) and tries < UNFORESEEN_TRIES:
        return backoff.wait(tries, after=None, rng=parts.rng)
    detail = str(error) if isinstance(error, GatewayError) else type(error).__name__
    with parts.database.transaction() as tx:
        requests.move(
            tx,
            request_id,
            RequestState.NEEDS_ATTENTION,
            now=parts.clock(),
            detail=f"{name}: {detail}",
        )
    return GIVE_UP
