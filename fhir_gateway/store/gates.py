"""How things stand with EPRs and text providers, shared by all processes: pause, circuit, rate.

Every function that decides takes the neighbour's row for itself until the transaction ends, so that
two processes never spend the same allowance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.flow_tables import GateRow

#: What one of all processes does in turn is kept like a neighbour that is asked in turn.
DUTY = "duty:"
#: Further ahead than a turn among so many a minute lies what a neighbour asked for.
_LONG = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Gate:
    """One EPR (`epr:` and its base) or text provider (`texts:` and its name)."""

    name: str
    paused_at: datetime | None
    paused_by: str
    failures: int
    failing_since: datetime | None
    open_until: datetime | None


def find(tx: Transaction, name: str) -> Gate | None:
    """A neighbour, or None when nothing ever happened to it."""
    row = tx.session.get(GateRow, name)
    return _gate(row) if row else None


def every(tx: Transaction) -> list[Gate]:
    """All of them, by name; not the turns at duties, which are kept beside them."""
    query = select(GateRow).where(~GateRow.name.startswith(DUTY))
    rows = tx.session.scalars(query.order_by(GateRow.name))
    return [_gate(row) for row in rows]


def hold(tx: Transaction, name: str) -> Gate:
    """The neighbour, held until the transaction ends."""
    return _gate(_row(tx, name))


def pause(tx: Transaction, name: str, who: str, *, now: datetime) -> None:
    """Send nothing there until `resume`. `who`: who wants it and why, for operators."""
    row = _row(tx, name)
    row.paused_at, row.paused_by = row.paused_at or now, who[:200]


def resume(tx: Transaction, name: str, *, now: datetime) -> bool:
    """Go on, also when the circuit is open, or when the neighbour asked for patience that is not
    over: a person says that it works again. False when there was nothing to resume."""
    row = _row(tx, name)
    patient = row.next_at is not None and row.next_at > now + _LONG
    stopped = row.paused_at is not None or row.open_until is not None or patient
    row.paused_at, row.paused_by = None, ""
    if patient:
        row.next_at = None
    _close(row)
    return stopped


def take_turn(tx: Transaction, name: str, per_minute: float, *, now: datetime) -> float | None:
    """Spend one of so many a minute: None, or how many seconds are left until there is one.

    The generic cell rate algorithm, with a burst of one second's worth (at least one).
    """
    row = _row(tx, name)
    interval = timedelta(seconds=60.0 / per_minute)
    burst = max(interval, timedelta(seconds=1))
    due = max(row.next_at or now, now)
    early = (due - now) - (burst - interval)
    if early > timedelta(0):
        return early.total_seconds()
    row.next_at = due + interval
    return None


def hold_back(tx: Transaction, name: str, until: datetime) -> None:
    """The neighbour asked that nothing comes before a moment."""
    row = _row(tx, name)
    row.next_at = max(row.next_at or until, until)


def failed(
    tx: Transaction, name: str, *, limit: int, window: timedelta, rest: timedelta, now: datetime
) -> bool:
    """Count a failure; with the `limit`th in a row within `window`, or when a probe fails, the
    circuit opens for `rest`. True when it is open."""
    row = _row(tx, name)
    if row.failing_since is None or now - row.failing_since > window:
        row.failures, row.failing_since = 0, now
    row.failures += 1
    if row.failures >= limit or row.open_until is not None:
        row.open_until = now + rest
        return True
    return False


def worked(tx: Transaction, name: str) -> None:
    """It answered: the circuit closes."""
    known = tx.session.get(GateRow, name)
    if known is not None and (known.failures or known.open_until is not None):
        _close(_row(tx, name))


def take_probe(tx: Transaction, name: str, rest: timedelta, *, now: datetime) -> bool:
    """Whether the caller may try a neighbour whose circuit was open long enough; others wait for
    another `rest` meanwhile."""
    row = _row(tx, name)
    if row.open_until is None or row.open_until > now:
        return False
    row.open_until = now + rest
    return True


def _row(tx: Transaction, name: str) -> GateRow:
    """The row, made when there is none, and locked."""
    query = select(GateRow).where(GateRow.name == name).with_for_update()
    query = query.execution_options(populate_existing=True)
    row = tx.session.scalars(query).one_or_none()
    if row is not None:
        return row
    postgres = tx.session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert if postgres else sqlite.insert
    values = {"name": name, "paused_by": "", "failures": 0}
    tx.session.execute(insert(GateRow).values(values).on_conflict_do_nothing())
    return tx.session.scalars(query).one()


def _close(row: GateRow) -> None:
    row.failures, row.failing_since, row.open_until = 0, None, None


def _gate(row: GateRow) -> Gate:
    return Gate(
        row.name,
        row.paused_at,
        row.paused_by,
        row.failures,
        row.failing_since,
        row.open_until,
    )
