"""Text messages: one row per reference, so that a text is not sent twice by accident."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select, update

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.tables import TextRow


class TextState(StrEnum):
    """How far a text is.

    INTENDED: it was handed over at `sent_at`, and how that ended is unknown. DUE: it surely was not
    taken, and may be sent. SENT, FAILED: final.
    """

    INTENDED = "intended"
    DUE = "due"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text as it is kept: without number and words."""

    reference: str
    kind: str
    state: TextState
    provider_id: str | None
    sent_at: datetime


def hold(tx: Transaction, reference: str) -> TextMessage | None:
    """The text with this reference, held until the transaction ends, or None."""
    query = select(TextRow).where(TextRow.reference == reference).with_for_update()
    row = tx.session.scalar(query.execution_options(populate_existing=True))
    return _message(row) if row else None


def intend(tx: Transaction, reference: str, kind: str, *, now: datetime) -> None:
    """Record that the text leaves now, for the first time or again. Commit before sending."""
    row = tx.session.scalar(select(TextRow).where(TextRow.reference == reference))
    if row is None:
        row = TextRow(id=str(uuid.uuid4()), reference=reference, kind=kind, created_at=now)
        tx.session.add(row)
    row.state, row.sent_at = TextState.INTENDED, now
    tx.session.flush()


def settle(
    tx: Transaction, reference: str, state: TextState, provider_id: str | None = None
) -> None:
    """Record how sending ended."""
    tx.session.execute(
        update(TextRow)
        .where(TextRow.reference == reference)
        .values(state=state, provider_id=provider_id)
    )


def under_way(tx: Transaction, since: datetime) -> int:
    """How many texts were handed over after `since` and have no outcome yet."""
    query = (
        select(func.count())
        .select_from(TextRow)
        .where(TextRow.state == TextState.INTENDED, TextRow.sent_at > since)
    )
    return tx.session.scalar(query) or 0


def states(tx: Transaction) -> dict[tuple[str, str], int]:
    """How many texts there are by kind and state."""
    columns = (TextRow.kind, TextRow.state)
    rows = tx.session.execute(select(*columns, func.count()).group_by(*columns))
    return {(kind, state): int(count) for kind, state, count in rows}


def _message(row: TextRow) -> TextMessage:
    return TextMessage(
        row.reference,
        row.kind,
        TextState(row.state),
        row.provider_id,
        row.sent_at or row.created_at,
    )


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
