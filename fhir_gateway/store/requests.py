"""Requests that were accepted, and every move they made. States go forward only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, Table, insert, select, update

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import Resource
from fhir_gateway.store import notices
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.request import Request as Request
from fhir_gateway.store.request import RequestState as RequestState
from fhir_gateway.store.subscriptions import Topic
from fhir_gateway.store.tables import RequestEventRow, RequestRow

#: From which states each state can be reached; `needs-attention` is only left by `reopen`.
_BEFORE: dict[RequestState, tuple[RequestState, ...]] = {
    RequestState.TRACED: (RequestState.ACCEPTED,),
    RequestState.MAPPED: (RequestState.TRACED,),
    RequestState.DELIVERED: (RequestState.MAPPED,),
    RequestState.CONFIRMED: (RequestState.DELIVERED,),
    RequestState.NEEDS_ATTENTION: (
        RequestState.ACCEPTED,
        RequestState.TRACED,
        RequestState.MAPPED,
    ),
}


#: Events beside the states.
REOPENED, SEND_DELAYED = "reopened", "send-delayed"
#: Every step of every request comes by here, so it asks the tables themselves: objects of the ORM
#: took longer than all of the mapping.
_TABLE = cast("Table", RequestRow.__table__)
_EVENTS = cast("Table", RequestEventRow.__table__)
_WHOLE = [column for column in _TABLE.c if column.name not in ("draft_id", "epr_answer_sealed")]
#: With these the status of a request's Task becomes another.
_CHANGES_TASK = (RequestState.DELIVERED, RequestState.NEEDS_ATTENTION)


@dataclass(frozen=True, slots=True)
class Event:
    """One move of a request."""

    state: str
    at: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list of requests shows: nothing of what a patient typed."""

    id: str
    reference: str
    service_slug: str
    state: RequestState
    accepted_at: datetime
    updated_at: datetime


def add(
    tx: Transaction,
    *,
    request_id: str,
    reference: str,
    draft_id: str | None,
    service_slug: str,
    questionnaire: str,
    response: Resource,
    evidence: dict[str, Any],
    now: datetime,
) -> None:
    """Keep an accepted request. Raises sqlalchemy's IntegrityError when its reference or its
    draft is there already."""
    tx.session.add(
        RequestRow(
            id=request_id,
            reference=reference,
            draft_id=draft_id,
            service_slug=service_slug,
            questionnaire=questionnaire,
            state=RequestState.ACCEPTED,
            response_sealed=tx.sealer.seal(response),
            evidence_sealed=tx.sealer.seal(evidence),
            accepted_at=now,
            updated_at=now,
        )
    )
    tx.session.flush()
    _event(tx, request_id, RequestState.ACCEPTED, now, "")
    if evidence.get("synthetic") is not True:
        _announce(tx, Topic.NEW_REQUEST, request_id, now)


def find(tx: Transaction, request_id: str) -> Request | None:
    """The request with this id, or None."""
    row = tx.session.execute(select(*_WHOLE).where(_TABLE.c.id == request_id)).one_or_none()
    return _request(tx, row) if row else None


def hold(tx: Transaction, request_id: str) -> RequestState | None:
    """The state of a request, which is held until the transaction ends; None when there is none."""
    query = select(RequestRow.state).where(RequestRow.id == request_id).with_for_update()
    state = tx.session.scalar(query)
    return RequestState(state) if state else None


def moved_at(tx: Transaction, request_id: str) -> datetime | None:
    """When a request moved last; None when there is none."""
    return tx.session.scalar(select(RequestRow.updated_at).where(RequestRow.id == request_id))


def slug_of(tx: Transaction, request_id: str) -> str | None:
    """The service of a request, or None."""
    return tx.session.scalar(select(RequestRow.service_slug).where(RequestRow.id == request_id))


def by_reference(tx: Transaction, reference: str) -> Request | None:
    """The request with this reference, or None."""
    query = select(*_WHOLE).where(_TABLE.c.reference == reference)
    row = tx.session.execute(query).one_or_none()
    return _request(tx, row) if row else None


def by_draft(tx: Transaction, draft_id: str) -> Summary | None:
    """The request that a draft became, or None."""
    row = tx.session.scalar(select(RequestRow).where(RequestRow.draft_id == draft_id))
    return summary(row) if row else None


def reference_exists(tx: Transaction, reference: str) -> bool:
    """Whether a reference is taken."""
    query = select(RequestRow.id).where(RequestRow.reference == reference)
    return tx.session.scalar(query) is not None


def save_identity(tx: Transaction, request_id: str, identity: dict[str, Any]) -> None:
    """Keep the outcome of the trace."""
    _update(tx, request_id, identity_sealed=tx.sealer.seal(identity))


def save_bundle(tx: Transaction, request_id: str, bundle: Resource) -> None:
    """Keep the mapped Bundle."""
    _update(tx, request_id, bundle_sealed=tx.sealer.seal(bundle))


def save_delivered_as(
    tx: Transaction,
    request_id: str,
    references: list[str],
    answer: dict[str, Any] | None = None,
) -> None:
    """Keep what the EPR called the resources, as `Type/id`; `answer`: with versions and warnings,
    as JSON."""
    _update(
        tx,
        request_id,
        delivered_as=fhir_json.dump(references).decode(),
        epr_answer_sealed=tx.sealer.seal(answer) if answer is not None else None,
    )


def epr_answer(tx: Transaction, request_id: str) -> dict[str, Any] | None:
    """What the EPR answered: `resources` (reference, version) and `warnings`; None: nothing yet."""
    row = tx.session.get(RequestRow, request_id)
    sealed = row.epr_answer_sealed if row else None
    answer: dict[str, Any] | None = tx.sealer.open(sealed) if sealed else None
    return answer


def move(
    tx: Transaction, request_id: str, state: RequestState, *, now: datetime, detail: str = ""
) -> bool:
    """Move a request forward and record it; False when it is there or further already.

    `detail`: a code or sentence for operators, without anything a patient typed.
    """
    moved = tx.session.execute(
        update(_TABLE)
        .where(_TABLE.c.id == request_id, _TABLE.c.state.in_(_BEFORE[state]))
        .values(state=state, updated_at=now)
        .returning(_TABLE.c.id)
    ).first()
    if moved is None:
        return False
    _event(tx, request_id, state, now, detail)
    if state in _CHANGES_TASK:
        _announce(tx, Topic.STATUS_CHANGED, request_id, now)
    return True


def reopen(tx: Transaction, request_id: str, *, remap: bool, now: datetime) -> bool:
    """Let a request that needed attention go on where it stopped; False when it did not need any.

    `remap`: make the Bundle anew, for when the mapping was mended.
    """
    row = tx.session.get(RequestRow, request_id)
    if row is None or row.state != RequestState.NEEDS_ATTENTION:
        return False
    if row.identity_sealed is None:
        state = RequestState.ACCEPTED
    elif row.bundle_sealed is None or remap:
        state = RequestState.TRACED
    else:
        state = RequestState.MAPPED
    row.state, row.updated_at = state, now
    tx.session.flush()
    _event(tx, request_id, REOPENED, now, f"goes on as {state}")
    return True


def note(tx: Transaction, request_id: str, event: str, *, now: datetime, detail: str = "") -> None:
    """Record something that happened to a request without moving it (a retry, an alarm)."""
    _event(tx, request_id, event, now, detail)


def events(tx: Transaction, request_id: str) -> list[Event]:
    """Every event of a request, oldest first."""
    rows = tx.session.scalars(
        select(RequestEventRow)
        .where(RequestEventRow.request_id == request_id)
        .order_by(RequestEventRow.id)
    )
    return [Event(row.state, row.at, row.detail) for row in rows]


def _announce(tx: Transaction, topic: Topic, request_id: str, now: datetime) -> None:
    slug = slug_of(tx, request_id) or ""
    notices.announce(tx, topic, service_slug=slug, request_id=request_id, now=now)


def _update(tx: Transaction, request_id: str, **values: Any) -> None:
    tx.session.execute(update(_TABLE).where(_TABLE.c.id == request_id).values(**values))


def _event(tx: Transaction, request_id: str, state: str, now: datetime, detail: str) -> None:
    tx.session.execute(
        insert(_EVENTS).values(request_id=request_id, state=state, at=now, detail=detail[:400])
    )


def summary(row: RequestRow) -> Summary:
    """What a list shows of a request."""
    return Summary(
        row.id,
        row.reference,
        row.service_slug,
        RequestState(row.state),
        row.accepted_at,
        row.updated_at,
    )


def _request(tx: Transaction, row: Row[Any]) -> Request:
    return Request(
        id=row.id,
        reference=row.reference,
        service_slug=row.service_slug,
        questionnaire=row.questionnaire,
        state=RequestState(row.state),
        delivered_as=fhir_json.parse(row.delivered_as) if row.delivered_as else [],
        accepted_at=row.accepted_at,
        updated_at=row.updated_at,
        _sealed={
            "response": row.response_sealed,
            "evidence": row.evidence_sealed,
            "identity": row.identity_sealed,
            "bundle": row.bundle_sealed,
        },
        _sealer=tx.sealer,
    )
