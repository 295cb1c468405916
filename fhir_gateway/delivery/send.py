"""The step `send`: one request into its EPR, once.

No EPR's create can be trusted to be idempotent. So the intent is committed right before each POST;
after silence or a crash the next try waits until the settle time has passed, looks for the request
by its identifier, and only when it is not there sends again. Where a second send is harmless it
does not look; where nobody can look it asks a person (docs/decisions/0006, 0024).

Transactions take rows in one order, so that none waits for another that waits for it: the request,
its attempts, the gate, the audit.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from fhir_gateway.delivery import audited, backoff, claims, gate
from fhir_gateway.delivery.announce import announce
from fhir_gateway.delivery.engine import GIVE_UP, Wait
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.epr.adapter import Delivered, EprAdapter
from fhir_gateway.errors import Defect, GatewayError, OutcomeUnknown, Refused, TryLater
from fhir_gateway.fhir.types import Resource
from fhir_gateway.provider.endpoint import RepeatMode
from fhir_gateway.store import attempts, requests
from fhir_gateway.store.attempts import Attempt
from fhir_gateway.store.requests import Request, RequestState

_log = structlog.get_logger("delivery")
_REPEATABLE = (RepeatMode.CONDITIONAL_CREATE, RepeatMode.PUT_BY_CLIENT_ID)
#: What `queue show` says of a request that only a person can say of whether it arrived.
UNKNOWN = "outcome-unknown"


@dataclass(frozen=True, slots=True)
class _Sending:
    """One try to send one request."""

    parts: Parts
    request: Request
    bundle: Resource
    neighbour: str
    adapter: EprAdapter


def send(parts: Parts, request_id: str, tries: int) -> Wait:
    """Send a mapped request to its EPR and keep what it became there."""
    del tries  # what counts is how often it left, which the attempts say
    with parts.database.reading() as tx:
        request = requests.find(tx, request_id)
        if request is None or request.state is not RequestState.MAPPED:
            return None
        service = parts.service(tx, request.service_slug)
        history = attempts.history(tx, request_id)
        name = gate.epr_name(service)
        is_open = gate.is_open(tx, name)
    if not is_open:
        with parts.database.transaction() as tx:
            shut = gate.closed_for(
                tx, name, parts.limits.of(name), now=parts.clock(), rng=parts.rng
            )
        if shut is not None:
            return shut
    if request.bundle is None:
        raise Defect("A mapped request has no Bundle.", code="no-bundle")
    try:
        sending = _Sending(parts, request, request.bundle, name, parts.eprs.adapter(service))
        opened = [a for a in history if a.resolved_at is None]
        return _after_silence(sending, opened) if opened else _send_now(sending)
    except GatewayError as error:
        return _failed(parts, request, name, len(history), error)


def _after_silence(sending: _Sending, opened: list[Attempt]) -> Wait:
    """An earlier attempt left and nobody knows how it ended."""
    parts, mode = sending.parts, sending.adapter.mode
    left = opened[-1].sent_at + parts.timing.settle - parts.clock()
    if left.total_seconds() > 0:
        return left.total_seconds()
    if mode is RepeatMode.OPERATOR_CHECK:
        raise OutcomeUnknown("Nobody can look in this EPR but a person.", code=UNKNOWN)
    found = None
    if mode not in _REPEATABLE:
        found = _look(sending)
    if found is not None:
        # One transaction: an attempt that is closed, of a request that is not delivered, is sent
        # again by whoever comes next.
        _keep_delivered(sending, found, "found", [attempt.id for attempt in opened])
        return None
    _stop_believing(sending)
    now = parts.clock()
    outcome = "repeated" if mode in _REPEATABLE else "not-found"
    with parts.database.transaction() as tx:
        for attempt in opened:
            attempts.resolve(tx, attempt.id, outcome, now=now)
        gate.learn(tx, sending.neighbour, parts.limits.of(sending.neighbour), None, now=now)
    return _send_now(sending)


def _stop_believing(sending: _Sending) -> None:
    """Raises OutcomeUnknown (UNKNOWN) when the EPR claimed to have the request often enough."""
    with sending.parts.database.reading() as tx:
        if claims.exhausted(tx, sending.request.id):
            raise OutcomeUnknown(
                f"The EPR answered {claims.MOST} times as if it had the request, and does not "
                "show it",
                code=UNKNOWN,
            )


def _look(sending: _Sending) -> Delivered | None:
    """What an earlier attempt became. Raises OutcomeUnknown (UNKNOWN) where that cannot be told."""
    try:
        return sending.adapter.find(sending.bundle, sending.request.id)
    except OutcomeUnknown as error:
        raise OutcomeUnknown(str(error), code=UNKNOWN) from None
    except Refused as error:
        raise OutcomeUnknown(
            f"It may be in the EPR, and looking for it there failed: {error}", code=UNKNOWN
        ) from None


def _send_now(sending: _Sending) -> Wait:
    parts, request = sending.parts, sending.request
    epr, gateway = sending.neighbour, parts.gateway_name
    announced = announce(
        parts,
        request.id,
        epr,
        lambda tx: audited.sent(tx, request, epr, gateway, now=parts.clock()),
        nhs_number=request.matched_number or "",
    )
    if announced.attempt_id is None:
        return announced.wait
    try:
        delivered = sending.adapter.send(sending.bundle, request.id, announced.guard)
    except (TryLater, Refused) as error:
        # Nothing was done, for certain; anything else leaves the attempt open.
        with parts.database.transaction() as tx:
            attempts.resolve(tx, announced.attempt_id, error.code, now=parts.clock())
        raise
    _keep_delivered(sending, delivered, "created", [announced.attempt_id])
    return None


def _keep_delivered(
    sending: _Sending, delivered: Delivered, detail: str, attempt_ids: list[str]
) -> None:
    parts, request_id = sending.parts, sending.request.id
    now = parts.clock()
    outcome = attempts.FOUND if detail == "found" else attempts.DELIVERED
    # Lost, this leaves the attempt open, and the request is found in the EPR.
    with parts.database.transaction(redone=True) as tx:
        requests.save_delivered_as(tx, request_id, delivered.references, delivered.as_stored())
        moved = requests.move(tx, request_id, RequestState.DELIVERED, now=now, detail=detail)
        if not moved:
            requests.note(tx, request_id, "delivered-again", now=now, detail=detail)
        for attempt_id in attempt_ids:
            attempts.resolve(tx, attempt_id, outcome, now=now)
        gate.learn(tx, sending.neighbour, parts.limits.of(sending.neighbour), None, now=now)
        name, gateway = sending.neighbour, parts.gateway_name
        audited.landed(tx, sending.request, name, gateway, delivered.resources, now=now)
    if not moved:
        _log.error("delivered again", request=request_id)


def _failed(parts: Parts, request: Request, name: str, before: int, error: GatewayError) -> Wait:
    """What follows from an error: another try, or a person."""
    now = parts.clock()
    with parts.database.transaction() as tx:
        opened = attempts.unresolved(tx, request.id)
        ends = error.code == UNKNOWN or isinstance(error, Refused | Defect)
        if not ends:
            requests.note(tx, request.id, requests.SEND_DELAYED, now=now, detail=error.code)
        else:
            unknown = opened and not isinstance(error, Defect)
            detail = f"{UNKNOWN if unknown else error.code}: {error}"
            requests.move(tx, request.id, RequestState.NEEDS_ATTENTION, now=now, detail=detail)
        if error.code != UNKNOWN:
            gate.learn(tx, name, parts.limits.of(name), error, now=now)
        away = bool(opened) and not isinstance(error, Refused | Defect)
        gateway = parts.gateway_name
        audited.not_taken(tx, request, name, gateway, error.code, unknown=away, now=now)
    if ends:
        return GIVE_UP
    wait = backoff.wait(
        before,
        after=error.after if isinstance(error, TryLater) else None,
        rng=parts.rng,
        first=parts.timing.retry_first.total_seconds(),
        longest=parts.timing.retry_longest.total_seconds(),
    )
    if not opened:
        return wait
    settled = opened[-1].sent_at + parts.timing.settle - now
    return max(wait if isinstance(error, TryLater) else 0.0, settled.total_seconds(), 0.5)
