"""Alarms: what a person must know of, from when it began until it is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.flow_tables import AlarmRow

#: How long one process has a piece of news in hand before another may tell it.
TELLING = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm. `subject`: a service's short name or a neighbour's name."""

    id: int
    subject: str
    kind: str
    detail: str
    raised_at: datetime
    cleared_at: datetime | None


def update(
    tx: Transaction, subject: str, kind: str, detail: str | None, *, now: datetime
) -> Alarm | None:
    """The alarm stands with this detail, or (None) is over; the alarm if this changed it.

    The caller holds what makes this safe among processes (see `alarms.TELLING` for the telling).
    """
    query = select(AlarmRow).where(
        AlarmRow.subject == subject, AlarmRow.kind == kind, AlarmRow.cleared_at.is_(None)
    )
    row = tx.session.scalar(query.with_for_update())
    if row is None and detail is not None:
        row = AlarmRow(subject=subject, kind=kind, detail=detail[:400], raised_at=now)
        tx.session.add(row)
        tx.session.flush()
        return _alarm(row)
    if row is not None and detail is None:
        row.cleared_at, row.telling_until = now, None
        return _alarm(row)
    if row is not None and detail is not None:
        row.detail = detail[:400]
    return None


def standing(tx: Transaction) -> list[Alarm]:
    """The alarms that are not over, oldest first."""
    query = select(AlarmRow).where(AlarmRow.cleared_at.is_(None)).order_by(AlarmRow.id)
    return [_alarm(row) for row in tx.session.scalars(query)]


def take_untold(tx: Transaction, *, now: datetime) -> list[Alarm]:
    """News that nobody has told, for the caller to tell: beginnings, and ends of what was told."""
    untold = or_(
        and_(AlarmRow.told_at.is_(None), AlarmRow.cleared_at.is_(None)),
        and_(
            AlarmRow.told_at.is_not(None),
            AlarmRow.cleared_at.is_not(None),
            AlarmRow.told_cleared_at.is_(None),
        ),
    )
    free = or_(AlarmRow.telling_until.is_(None), AlarmRow.telling_until < now)
    query = select(AlarmRow).where(untold, free).order_by(AlarmRow.id).limit(100)
    rows = tx.session.scalars(query.with_for_update(skip_locked=True)).all()
    for row in rows:
        row.telling_until = now + TELLING
    return [_alarm(row) for row in rows]


def told(tx: Transaction, alarm: Alarm, *, now: datetime) -> None:
    """All channels had it."""
    row = tx.session.get(AlarmRow, alarm.id)
    if row is not None:
        row.telling_until = None
        if alarm.cleared_at is None:
            row.told_at = now
        else:
            row.told_cleared_at = now


def _alarm(row: AlarmRow) -> Alarm:
    return Alarm(row.id, row.subject, row.kind, row.detail, row.raised_at, row.cleared_at)
