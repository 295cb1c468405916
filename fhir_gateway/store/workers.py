"""Which delivering processes are alive, and who takes over from one that is not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, or_, select, update

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.flow_tables import WorkerRow


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process runs: machine (with its space of process numbers), number, start."""

    machine: str
    pid: int
    started: str


@dataclass(frozen=True, slots=True)
class Worker:
    """One run of a delivering process."""

    executor_id: str
    beat_at: datetime
    place: Place


def beat(tx: Transaction, executor_id: str, place: Place, *, now: datetime) -> bool:
    """This process is alive. False when another took over what it had in hand: it was silent for
    too long."""
    row = tx.session.get(WorkerRow, executor_id)
    if row is None:
        tx.session.add(
            WorkerRow(
                executor_id=executor_id,
                beat_at=now,
                machine=place.machine,
                pid=place.pid,
                started=place.started,
            )
        )
        return True
    row.beat_at = now
    if row.taker is None:
        return True
    row.taker, row.taken_at = None, None
    return False


def others(tx: Transaction, executor_id: str) -> list[Worker]:
    """All processes but this one."""
    rows = tx.session.scalars(select(WorkerRow).where(WorkerRow.executor_id != executor_id))
    return [
        Worker(row.executor_id, row.beat_at, Place(row.machine, row.pid, row.started))
        for row in rows
    ]


def claim(
    tx: Transaction, executor_id: str, taker: str, *, claimed_before: datetime, now: datetime
) -> bool:
    """Take it on oneself to go on with what a process left; False when somebody else has, after
    `claimed_before`: whoever did may have died over it."""
    claimed = tx.session.execute(
        update(WorkerRow)
        .where(
            WorkerRow.executor_id == executor_id,
            or_(WorkerRow.taker.is_(None), WorkerRow.taken_at < claimed_before),
        )
        .values(taker=taker, taken_at=now)
        .returning(WorkerRow.executor_id)
    )
    return claimed.first() is not None


def remove(tx: Transaction, executor_id: str) -> None:
    """Forget a process that is gone."""
    tx.session.execute(delete(WorkerRow).where(WorkerRow.executor_id == executor_id))


def count(tx: Transaction, since: datetime) -> int:
    """How many processes have given a beat since a moment."""
    query = select(func.count()).select_from(WorkerRow).where(WorkerRow.beat_at >= since)
    return tx.session.scalar(query) or 0
