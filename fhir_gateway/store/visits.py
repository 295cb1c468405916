"""A browser's session: an unguessable token in a cookie, of which only the hash is kept here."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.seal import token_hash
from fhir_gateway.store.tables import VisitRow


@dataclass(frozen=True, slots=True)
class Visit:
    """A session, with when it began and when the browser was last seen."""

    id: str
    started_at: datetime
    seen_at: datetime


def begin(tx: Transaction, token: str, *, now: datetime) -> Visit:
    """Keep a new session for this token."""
    visit_id = str(uuid.uuid4())
    tx.session.add(VisitRow(id=visit_id, token_hash=token_hash(token), started_at=now, seen_at=now))
    tx.session.flush()
    return Visit(visit_id, now, now)


def find(tx: Transaction, token: str) -> Visit | None:
    """The session of a token that has not ended, or None."""
    row = tx.session.scalar(
        select(VisitRow).where(
            VisitRow.token_hash == token_hash(token), VisitRow.ended_at.is_(None)
        )
    )
    return Visit(row.id, row.started_at, row.seen_at) if row else None


def touch(tx: Transaction, visit_id: str, *, now: datetime) -> None:
    """The browser was seen."""
    tx.session.execute(update(VisitRow).where(VisitRow.id == visit_id).values(seen_at=now))


def rotate(tx: Transaction, visit_id: str, token: str) -> None:
    """The session goes on under a new token; the old one is dead at once (ASVS 7.2.4)."""
    tx.session.execute(
        update(VisitRow).where(VisitRow.id == visit_id).values(token_hash=token_hash(token))
    )


def end(tx: Transaction, visit_id: str, *, now: datetime) -> None:
    """End the session on the server; its cookie is worth nothing from now on."""
    tx.session.execute(update(VisitRow).where(VisitRow.id == visit_id).values(ended_at=now))
