"""Counting within a window of time that slides, for limits: whoever waits for a fixed window to end
must not get twice as many.

A window is kept as a few slices; what falls into a slice that the window touches counts whole, so
there are never more in any window than the limit, and sometimes a little fewer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from fhir_gateway.store import counters
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.tables import CounterRow

SLICES = 10


def add(tx: Transaction, key: str, window: timedelta, *, now: datetime) -> int:
    """Count one more under `key`; how many there were within the window before now, with this one.

    The row of the slice stays locked until the transaction ends, so of two at once the second sees
    the first.
    """
    counters.add(tx, key, window / SLICES, now=now)
    since = int((now - window).timestamp())
    length = int((window / SLICES).total_seconds())
    query = select(func.sum(CounterRow.count)).where(
        CounterRow.key == key,
        CounterRow.window_start > since - length,
        CounterRow.window_start <= int(now.timestamp()),
    )
    return int(tx.session.execute(query).scalar_one())
