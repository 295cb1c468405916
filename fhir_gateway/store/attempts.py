"""Attempts to send a request to an EPR: the intent is committed right before each POST.

An attempt without an outcome means that nobody knows whether the EPR took it; whoever tries next
must wait, look there, and only then send again (docs/decisions/0006, 0024).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.tables import DeliveryAttemptRow


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt."""

    id: str
    sent_at: datetime
    resolved_at: datetime | None
    outcome: str


#: Outcomes after which the EPR has the request, and so its patient.
DELIVERED, FOUND = "delivered", "found"


def open_attempt(
    tx: Transaction, request_id: str, neighbour: str, *, subject_mac: str = "", now: datetime
) -> str:
    """Record the intent to send now; the attempt's id. Commit before sending. `neighbour`: the
    name of the EPR. `subject_mac`: see `meets_patient_first`."""
    row = DeliveryAttemptRow(
        id=str(uuid.uuid4()),
        request_id=request_id,
        neighbour=neighbour,
        subject_mac=subject_mac,
        sent_at=now,
        outcome="",
    )
    tx.session.add(row)
    tx.session.flush()
    return row.id


def renew(tx: Transaction, attempt_id: str, *, now: datetime) -> bool:
    """Another POST of the same attempt leaves now; False when somebody has closed the attempt,
    and then it must not leave."""
    renewed = tx.session.execute(
        update(DeliveryAttemptRow)
        .where(DeliveryAttemptRow.id == attempt_id, DeliveryAttemptRow.resolved_at.is_(None))
        .values(sent_at=now)
        .returning(DeliveryAttemptRow.id)
    )
    return renewed.first() is not None


def resolve(tx: Transaction, attempt_id: str, outcome: str, *, now: datetime) -> None:
    """The EPR gave a definite answer, or was found to have (or not to have) the request."""
    tx.session.execute(
        update(DeliveryAttemptRow)
        .where(DeliveryAttemptRow.id == attempt_id)
        .values(resolved_at=now, outcome=outcome[:80])
    )


def unresolved(tx: Transaction, request_id: str) -> list[Attempt]:
    """Attempts whose outcome nobody knows, oldest first."""
    return [a for a in history(tx, request_id) if a.resolved_at is None]


def history(tx: Transaction, request_id: str) -> list[Attempt]:
    """Every attempt of a request, oldest first."""
    rows = tx.session.scalars(
        select(DeliveryAttemptRow)
        .where(DeliveryAttemptRow.request_id == request_id)
        .order_by(DeliveryAttemptRow.sent_at)
    )
    return [Attempt(row.id, row.sent_at, row.resolved_at, row.outcome) for row in rows]


def under_way(tx: Transaction, neighbour: str, since: datetime) -> int:
    """How many POSTs to an EPR left after `since` and have no outcome yet."""
    query = (
        select(func.count())
        .select_from(DeliveryAttemptRow)
        .where(
            DeliveryAttemptRow.neighbour == neighbour,
            DeliveryAttemptRow.resolved_at.is_(None),
            DeliveryAttemptRow.sent_at > since,
        )
    )
    return tx.session.scalar(query) or 0


def meets_patient_first(tx: Transaction, neighbour: str, subject_mac: str, since: datetime) -> bool:
    """Whether a POST left after `since`, has no outcome yet, and is the first of ours about this
    patient to this EPR: it may be creating the Patient. `subject_mac`: a keyed hash of the NHS
    number."""
    about = (
        DeliveryAttemptRow.subject_mac == subject_mac,
        DeliveryAttemptRow.neighbour == neighbour,
    )
    open_, known = (
        select(DeliveryAttemptRow.id).where(*about, *more).limit(1)
        for more in (
            (DeliveryAttemptRow.resolved_at.is_(None), DeliveryAttemptRow.sent_at > since),
            (DeliveryAttemptRow.outcome.in_((DELIVERED, FOUND)),),
        )
    )
    return tx.session.scalar(open_) is not None and tx.session.scalar(known) is None


def outcomes(tx: Transaction) -> dict[tuple[str, str], int]:
    """How many attempts ended how, by EPR and outcome ('' is unknown yet)."""
    columns = (DeliveryAttemptRow.neighbour, DeliveryAttemptRow.outcome)
    rows = tx.session.execute(select(*columns, func.count()).group_by(*columns))
    return {(neighbour, outcome): int(count) for neighbour, outcome, count in rows}
