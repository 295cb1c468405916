"""The step `send`: one transaction to the EPR, once.

No EPR's create can be trusted to be idempotent. So the intent is committed right before each POST;
after silence or a crash the next try waits until the settle time has passed, looks for the request
by its identifier, and only when it is not there sends again (docs/decisions/0006).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from fhir_gateway.delivery import backoff
from fhir_gateway.delivery.engine import GIVE_UP, Wait
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.epr.adapter import Delivered, EprAdapter
from fhir_gateway.epr.fence import unguarded
from fhir_gateway.errors import Defect, OutcomeUnknown, Refused, TryLater
from fhir_gateway.store import attempts, requests
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.requests import Request, RequestState

#: Longer than the whole timeout of a POST and what an EPR may still do after it.
SETTLE = timedelta(seconds=60)


def send(parts: Parts, request_id: str, tries: int) -> Wait:
    """Send a mapped request to its EPR and keep what it became there."""
    with parts.database.transaction() as tx:
        request = requests.find(tx, request_id)
        if request is None or request.state is not RequestState.MAPPED:
            return None
        service = parts.service(tx, request.service_slug)
        open_attempts = attempts.unresolved(tx, request_id)
    if request.bundle is None:
        raise Defect("A mapped request has no Bundle.", code="no-bundle")
    try:
        adapter = parts.eprs.adapter(service)
        if open_attempts:
            settled = open_attempts[-1].sent_at + SETTLE
            left = (settled - parts.clock()).total_seconds()
            if left > 0:
                return left
            if _look(parts, adapter, request, [a.id for a in open_attempts]):
                return None
        return _post(parts, adapter, request)
    except TryLater as error:
        _note(parts, request_id, error.code)
        return backoff.wait(tries, after=error.after, rng=parts.rng)
    except OutcomeUnknown as error:
        _note(parts, request_id, error.code)
        return SETTLE.total_seconds()
    except Refused as error:
        now = parts.clock()
        with parts.database.transaction() as tx:
            requests.move(tx, request_id, RequestState.NEEDS_ATTENTION, now=now, detail=str(error))
        return GIVE_UP


def _look(parts: Parts, adapter: EprAdapter, request: Request, open_ids: list[str]) -> bool:
    """Whether the EPR has the request; either way its open attempts are settled."""
    found = adapter.find(request.bundle or {}, request.id)
    now = parts.clock()
    with parts.database.transaction() as tx:
        for attempt_id in open_ids:
            attempts.resolve(tx, attempt_id, "found" if found else "not-found", now=now)
        if found:
            _keep_delivered(tx, request, found, "found", now=now)
    return found is not None


def _post(parts: Parts, adapter: EprAdapter, request: Request) -> Wait:
    with parts.database.transaction() as tx:
        attempt_id = attempts.open_attempt(tx, request.id, now=parts.clock())
    try:
        delivered = adapter.send(request.bundle or {}, request.id, unguarded)
    except (TryLater, Refused) as error:
        with parts.database.transaction() as tx:
            attempts.resolve(tx, attempt_id, error.code, now=parts.clock())
        raise
    now = parts.clock()
    with parts.database.transaction() as tx:
        attempts.resolve(tx, attempt_id, "delivered", now=now)
        _keep_delivered(tx, request, delivered, "created", now=now)
    return None


def _keep_delivered(
    tx: Transaction, request: Request, delivered: Delivered, detail: str, *, now: datetime
) -> None:
    requests.save_delivered_as(tx, request.id, delivered.references, delivered.as_stored())
    requests.move(tx, request.id, RequestState.DELIVERED, now=now, detail=detail)


def _note(parts: Parts, request_id: str, code: str) -> None:
    with parts.database.transaction() as tx:
        requests.note(tx, request_id, "send-delayed", now=parts.clock(), detail=code)
