"""How deliveries stand, by service: what alarms, health and metrics read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.requests import RequestState
from fhir_gateway.store.tables import RequestEventRow, RequestRow

_UNDELIVERED = (RequestState.ACCEPTED, RequestState.TRACED, RequestState.MAPPED)
#: Recorded beside the moves of a synthetic request, so that it is told apart without unsealing.
SYNTHETIC = "synthetic"
_LAST_MOVES = 2000


@dataclass(frozen=True, slots=True)
class Standing:
    """One service. `oldest`: when its oldest request that is not delivered was accepted."""

    service_slug: str
    undelivered: int
    oldest: datetime | None
    needs_attention: int


def by_service(tx: Transaction) -> list[Standing]:
    """Every service that ever had a request."""
    slugs = tx.session.scalars(select(RequestRow.service_slug).distinct())
    found = {slug: Standing(slug, 0, None, 0) for slug in slugs}
    waiting = (*_UNDELIVERED, RequestState.NEEDS_ATTENTION)
    rows = tx.session.execute(
        select(
            RequestRow.service_slug,
            RequestRow.state,
            func.count(),
            func.min(RequestRow.accepted_at),
        )
        .where(RequestRow.state.in_(waiting))
        .group_by(RequestRow.service_slug, RequestRow.state)
    )
    for slug, state, count, oldest in rows:
        was = found[slug]
        ages = [moment for moment in (was.oldest, oldest) if moment is not None]
        attention = count if state == RequestState.NEEDS_ATTENTION else 0
        # What needs attention is not delivered either.
        found[slug] = Standing(
            slug, was.undelivered + count, min(ages), was.needs_attention + attention
        )
    return sorted(found.values(), key=lambda standing: standing.service_slug)


def counts(tx: Transaction) -> dict[tuple[str, str], int]:
    """How many requests there are by service and state."""
    columns = (RequestRow.service_slug, RequestRow.state)
    rows = tx.session.execute(select(*columns, func.count()).group_by(*columns))
    return {(slug, state): int(count) for slug, state, count in rows}


def overdue(tx: Transaction, accepted_before: datetime, event: str, limit: int = 100) -> list[str]:
    """The ids of requests, oldest first, that were accepted before a moment, are not delivered and
    have no such event."""
    has_event = (
        select(RequestEventRow.id)
        .where(RequestEventRow.request_id == RequestRow.id, RequestEventRow.state == event)
        .exists()
    )
    query = (
        select(RequestRow.id)
        .where(
            RequestRow.state.in_((*_UNDELIVERED, RequestState.NEEDS_ATTENTION)),
            RequestRow.accepted_at < accepted_before,
            ~has_event,
        )
        .order_by(RequestRow.accepted_at)
        .limit(limit)
    )
    return list(tx.session.scalars(query))


def traced_as(tx: Transaction, outcomes: Sequence[str], since: datetime) -> dict[str, int]:
    """How many requests of each service were traced since a moment with one of these outcomes.
    Only the last moves of all are looked at, as this is asked twice a minute."""
    event = RequestEventRow
    last = (
        select(event.request_id, event.state, event.at, event.detail)
        .order_by(event.id.desc())
        .limit(_LAST_MOVES)
        .subquery()
    )
    rows = tx.session.execute(
        select(RequestRow.service_slug, func.count())
        .join(last, last.c.request_id == RequestRow.id)
        .where(
            last.c.state == RequestState.TRACED,
            last.c.at >= since,
            or_(*(last.c.detail.endswith(f"({outcome})") for outcome in outcomes)),
        )
        .group_by(RequestRow.service_slug)
    )
    return {slug: int(count) for slug, count in rows}


def last_synthetic(tx: Transaction, service_slug: str) -> tuple[datetime, str] | None:
    """When the last synthetic request of a service was accepted, and its state; None: never."""
    row = tx.session.execute(
        select(RequestRow.accepted_at, RequestRow.state)
        .join(RequestEventRow, RequestEventRow.request_id == RequestRow.id)
        .where(RequestRow.service_slug == service_slug, RequestEventRow.state == SYNTHETIC)
        .order_by(RequestRow.accepted_at.desc())
        .limit(1)
    ).first()
    return (row[0], row[1]) if row else None


def last_delivered_synthetic(tx: Transaction, service_slug: str) -> datetime | None:
    """When the last synthetic request that arrived was accepted."""
    return tx.session.scalar(
        select(func.max(RequestRow.accepted_at))
        .join(RequestEventRow, RequestEventRow.request_id == RequestRow.id)
        .where(
            RequestRow.service_slug == service_slug,
            RequestEventRow.state == SYNTHETIC,
            RequestRow.state.in_((RequestState.DELIVERED, RequestState.CONFIRMED)),
        )
    )
