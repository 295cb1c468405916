"""What arrived of a request that is sent to its EPR one resource at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.tables import EprPartRow


@dataclass(frozen=True, slots=True)
class EprPart:
    """One resource. `reference`: `Type/id` in the EPR, or None while nobody knows."""

    full_url: str
    reference: str | None
    version: str


def of_request(tx: Transaction, request_id: str) -> list[EprPart]:
    """The parts of a request that were about to be sent, or have arrived."""
    rows = tx.session.scalars(select(EprPartRow).where(EprPartRow.request_id == request_id))
    return [EprPart(row.full_url, row.reference, row.version) for row in rows]


def intend(tx: Transaction, request_id: str, full_url: str, *, now: datetime) -> None:
    """A part is about to be sent; commit before it is."""
    if tx.session.get(EprPartRow, (request_id, full_url)) is None:
        tx.session.add(
            EprPartRow(request_id=request_id, full_url=full_url, version="", intended_at=now)
        )
        tx.session.flush()


def keep(
    tx: Transaction, request_id: str, full_url: str, reference: str, version: str, *, now: datetime
) -> None:
    """A part has arrived."""
    intend(tx, request_id, full_url, now=now)
    row = tx.session.get_one(EprPartRow, (request_id, full_url))
    row.reference, row.version = reference, version
    tx.session.flush()


def withdraw(tx: Transaction, request_id: str, full_url: str) -> None:
    """A part was not taken for certain."""
    tx.session.execute(
        delete(EprPartRow).where(
            EprPartRow.request_id == request_id,
            EprPartRow.full_url == full_url,
            EprPartRow.reference.is_(None),
        )
    )
