"""Counting within windows of time, for limits and for statistics; one atomic statement each.

Windows are fixed: a count belongs to the window that the moment falls into. Works the same on
SQLite and PostgreSQL, in any number of processes.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.tables import CounterRow


def add(tx: Transaction, key: str, window: timedelta, *, now: datetime) -> int:
    """Count one more under `key` in the current window; the count including this one."""
    dialect = tx.session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = (
        insert(CounterRow)
        .values(key=key, window_start=_window(window, now), count=1)
        .on_conflict_do_update(
            index_elements=[CounterRow.key, CounterRow.window_start],
            set_={"count": CounterRow.count + 1},
        )
        .returning(CounterRow.count)
    )
    return tx.session.execute(statement).scalar_one()


def current(tx: Transaction, key: str, window: timedelta, *, now: datetime) -> int:
    """The count under `key` in the current window."""
    row = tx.session.get(CounterRow, (key, _window(window, now)))
    return row.count if row else 0


def total(tx: Transaction, prefix: str) -> dict[str, int]:
    """All counts whose key begins with `prefix`, summed over all windows."""
    rows = tx.session.execute(
        select(CounterRow.key, func.sum(CounterRow.count))
        .where(CounterRow.key.startswith(prefix, autoescape=True))
        .group_by(CounterRow.key)
        .order_by(CounterRow.key)
    )
    return {key: int(count) for key, count in rows}


def forget(tx: Transaction, prefix: str, before: datetime) -> None:
    """Drop counts of windows that began before a moment."""
    tx.session.execute(
        delete(CounterRow).where(
            CounterRow.key.startswith(prefix, autoescape=True),
            CounterRow.window_start < int(before.timestamp()),
        )
    )


def _window(window: timedelta, now: datetime) -> int:
    seconds = int(window.total_seconds())
    moment = int(now.timestamp())
    return moment - moment % seconds
