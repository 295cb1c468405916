"""Text messages: one row per reference, so that a text is not sent twice by accident."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, update

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.tables import TextRow


class TextState(StrEnum):
    """INTENDED: about to be sent, or its outcome is unknown."""

    INTENDED = "intended"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text as it is kept: without number and words."""

    reference: str
    kind: str
    state: TextState
    provider_id: str | None


def find(tx: Transaction, reference: str) -> TextMessage | None:
    """The text with this reference, or None."""
    row = tx.session.scalar(select(TextRow).where(TextRow.reference == reference))
    return _message(row) if row else None


def intend(tx: Transaction, reference: str, kind: str, *, now: datetime) -> TextMessage:
    """Record the intent to send; the row as it is, which may be there from an earlier try."""
    row = tx.session.scalar(select(TextRow).where(TextRow.reference == reference))
    if row is None:
        row = TextRow(
            id=str(uuid.uuid4()),
            reference=reference,
            kind=kind,
            state=TextState.INTENDED,
            created_at=now,
        )
        tx.session.add(row)
        tx.session.flush()
    return _message(row)


def settle(
    tx: Transaction, reference: str, state: TextState, provider_id: str | None = None
) -> None:
    """Record how sending ended."""
    tx.session.execute(
        update(TextRow)
        .where(TextRow.reference == reference)
        .values(state=state, provider_id=provider_id)
    )


def _message(row: TextRow) -> TextMessage:
    return TextMessage(row.reference, row.kind, TextState(row.state), row.provider_id)


def receive(
    tx: Transaction, provider_id: str, reference: str, status: str, *, now: datetime
) -> bool:
    """Keep what the provider reports of a text; False for one that is not kept here, as security
    codes are not. A final word is never taken back: reports come in any order."""
    if not reference and not provider_id:
        return False
    known = TextRow.reference == reference if reference else TextRow.provider_id == provider_id
    row = tx.session.scalar(select(TextRow).where(known).limit(1))
    if row is None:
        return False
    if row.receipt in ("", "under-way") and status != row.receipt:
        row.receipt, row.receipt_at = status, now
        tx.session.flush()
    return True
