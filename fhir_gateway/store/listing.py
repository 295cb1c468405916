"""Lists of requests, without anything that a patient typed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, select

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.requests import RequestState, Summary, summary
from fhir_gateway.store.tables import RequestEventRow, RequestRow


def in_states(
    tx: Transaction,
    states: tuple[RequestState, ...],
    *,
    updated_before: datetime | None = None,
    limit: int = 1000,
) -> list[Summary]:
    """Requests in these states, oldest first."""
    query = select(RequestRow).where(RequestRow.state.in_(states))
    if updated_before is not None:
        query = query.where(RequestRow.updated_at < updated_before)
    rows = tx.session.scalars(query.order_by(RequestRow.accepted_at).limit(limit))
    return [summary(row) for row in rows]


def unfinished(
    tx: Transaction,
    states: tuple[RequestState, ...],
    *,
    updated_before: datetime,
    after: str,
    limit: int,
) -> list[Summary]:
    """Requests in these states that did not move since, by id from `after` on: a page of all."""
    query = (
        select(RequestRow)
        .where(
            RequestRow.state.in_(states),
            RequestRow.updated_at < updated_before,
            RequestRow.id > after,
        )
        .order_by(RequestRow.id)
        .limit(limit)
    )
    return [summary(row) for row in tx.session.scalars(query)]


def with_event(
    tx: Transaction, event: str, *, without: str, states: tuple[RequestState, ...]
) -> list[Summary]:
    """Requests in these states that have one event and not the other."""

    def has(name: str) -> ColumnElement[bool]:
        query = select(RequestEventRow.id).where(
            RequestEventRow.request_id == RequestRow.id, RequestEventRow.state == name
        )
        return query.exists()

    query = select(RequestRow).where(RequestRow.state.in_(states), has(event), ~has(without))
    return [summary(row) for row in tx.session.scalars(query)]


def last_details(tx: Transaction, request_ids: list[str], state: str) -> dict[str, str]:
    """The detail of the last event of this name of each request."""
    rows = tx.session.execute(
        select(RequestEventRow.request_id, RequestEventRow.detail)
        .where(RequestEventRow.request_id.in_(request_ids), RequestEventRow.state == state)
        .order_by(RequestEventRow.id)
    )
    return {request_id: detail for request_id, detail in rows}
