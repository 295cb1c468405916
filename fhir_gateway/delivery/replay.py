"""What a person decides about a request that needs attention; who it was is recorded with it."""

from __future__ import annotations

import re
from datetime import datetime

from fhir_gateway.audit import operators
from fhir_gateway.delivery.engine import Engine
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.errors import Refused
from fhir_gateway.store import attempts, listing, requests
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.requests import Request, RequestState

_MANY = 10_000
_NAMED = re.compile(r"[A-Z][A-Za-z]{1,39}/[A-Za-z0-9\-.]{1,64}")


def choose(parts: Parts, service_slug: str | None, why: str) -> list[str]:
    """The ids of requests that need attention: of one service, or of all; where the reason begins
    so."""
    with parts.database.transaction() as tx:
        found = listing.in_states(tx, (RequestState.NEEDS_ATTENTION,), limit=_MANY)
        reasons = listing.last_details(tx, [r.id for r in found], RequestState.NEEDS_ATTENTION)
    return [
        request.id
        for request in found
        if service_slug in (None, request.service_slug)
        and reasons.get(request.id, "").startswith(why)
    ]


def replay(
    parts: Parts, engine: Engine, request_id: str, *, remap: bool, who: str, why: str
) -> bool:
    """Let a request go on where it stopped; False when it did not need attention. An attempt whose
    outcome is unknown is looked for before anything is sent again. `who`, `why`: kept with it."""
    now = parts.clock()
    with parts.database.transaction() as tx:
        if not requests.reopen(tx, request_id, remap=remap, now=now):
            return False
        requests.note(
            tx, request_id, "replayed", now=now, detail=_decided(who, why, remapped=remap)
        )
        request = requests.find(tx, request_id)
        assert request is not None
        suffix = f".retry-{int(now.timestamp() * 1000)}"
        engine.enqueue(tx, request_id, request.service_slug, suffix)
        said = f"mapped anew: {why}" if remap else why
        _audit(tx, parts, "replay", request, who=who, why=said, now=now)
    return True


def resolve(
    parts: Parts, engine: Engine, request_id: str, arrived_as: str | None, *, who: str, why: str
) -> bool:
    """A person looked in the EPR. `arrived_as`: `Type/id` there; None: it did not arrive, and is
    sent again. False when the request did not need attention. Raises Refused for another name."""
    if arrived_as is not None and not _NAMED.fullmatch(arrived_as):
        raise Refused(
            "Say as what it arrived by type and id, as in ServiceRequest/123.", code="no-reference"
        )
    now = parts.clock()
    with parts.database.transaction() as tx:
        if not requests.reopen(tx, request_id, remap=False, now=now):
            return False
        outcome = "seen by a person" if arrived_as else "not seen by a person"
        for attempt in attempts.unresolved(tx, request_id):
            attempts.resolve(tx, attempt.id, outcome, now=now)
        detail = f"{outcome}, {_decided(who, why)}"
        requests.note(tx, request_id, "resolved", now=now, detail=detail)
        if arrived_as:
            requests.save_delivered_as(tx, request_id, [arrived_as])
            requests.move(tx, request_id, RequestState.DELIVERED, now=now, detail="resolved")
        request = requests.find(tx, request_id)
        assert request is not None
        suffix = f".resolved-{int(now.timestamp() * 1000)}"
        engine.enqueue(tx, request_id, request.service_slug, suffix)
        said = " ".join(filter(None, (outcome, arrived_as))) + f": {why}"
        _audit(tx, parts, "resolve", request, who=who, why=said, now=now)
    return True


def _decided(who: str, why: str, *, remapped: bool = False) -> str:
    """Who decided and why, as it is kept with the event; the event has the moment."""
    return f"by {who[:100]}{' with a fresh mapping' if remapped else ''}: {why[:250]}"


def _audit(
    tx: Transaction, parts: Parts, act: str, request: Request, *, who: str, why: str, now: datetime
) -> None:
    operators.of_request(tx, act, request, who=who, why=why, observer=parts.gateway_name, now=now)
