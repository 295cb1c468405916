"""Which delivering processes are alive."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.tables import WorkerRow


def beat(tx: Transaction, executor_id: str, *, now: datetime) -> None:
    """This process is alive."""
    row = tx.session.get(WorkerRow, executor_id)
    if row is None:
        tx.session.add(WorkerRow(executor_id=executor_id, beat_at=now))
    else:
        row.beat_at = now


def silent_since(tx: Transaction, before: datetime) -> list[str]:
    """Processes whose last beat is older than `before`."""
    return list(tx.session.scalars(select(WorkerRow.executor_id).where(WorkerRow.beat_at < before)))


def remove(tx: Transaction, executor_id: str) -> None:
    """Forget a process that is gone."""
    tx.session.execute(delete(WorkerRow).where(WorkerRow.executor_id == executor_id))
