"""A limiter and a circuit breaker for each neighbour, kept as one row that all processes share.

Every change is one atomic statement, on SQLite and PostgreSQL alike, so no two processes take the
same turn, and after a break exactly one of them probes. Moments are microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.flow_tables import NeighbourRow


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a neighbour is well: failures in a row, and until when its breaker is open (0: it is
    closed)."""

    failures: int
    open_until: int


def take_turn(tx: Transaction, key: str, *, now: int, spacing: int, longest: int) -> int | None:
    """Take the next free turn, `spacing` after the one before; its moment.

    None when it would be more than `longest` away: then no turn is taken.
    """
    dialect = tx.session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    greatest = func.greatest if dialect == "postgresql" else func.max
    statement = (
        insert(NeighbourRow)
        .values(key=key, next_at=now + spacing, failures=0, open_until=0)
        .on_conflict_do_update(
            index_elements=[NeighbourRow.key],
            set_={"next_at": greatest(NeighbourRow.next_at, now) + spacing},
            where=NeighbourRow.next_at <= now + longest,
        )
        .returning(NeighbourRow.next_at)
    )
    following = tx.session.execute(statement).scalar_one_or_none()
    return None if following is None else following - spacing


def health(tx: Transaction, key: str) -> Health:
    """How the neighbour is."""
    query = select(NeighbourRow.failures, NeighbourRow.open_until).where(NeighbourRow.key == key)
    row = tx.session.execute(query).one_or_none()
    return Health(*row) if row else Health(0, 0)


def take_probe(tx: Transaction, key: str, *, now: int, until: int) -> bool:
    """After a break: whether this caller is the one that tries; the others wait `until` then."""
    probing = (
        update(NeighbourRow)
        .where(NeighbourRow.key == key, NeighbourRow.open_until.between(1, now))
        .values(open_until=until)
        .returning(NeighbourRow.key)
    )
    return tx.session.execute(probing).first() is not None


def failed(tx: Transaction, key: str, *, most: int, now: int, pauses: list[int]) -> None:
    """One more failure in a row. From the `most`-th on the breaker opens, for the first of
    `pauses`, and for the next of them with each failure after that."""
    count = NeighbourRow.failures + 1
    longer = [(count <= most + i, now + pause) for i, pause in enumerate(pauses[:-1])]
    until = case((count < most, 0), *longer, else_=now + pauses[-1])
    tx.session.execute(
        update(NeighbourRow).where(NeighbourRow.key == key).values(failures=count, open_until=until)
    )


def succeeded(tx: Transaction, key: str) -> None:
    """All is well: no failures, the breaker closed."""
    tx.session.execute(
        update(NeighbourRow).where(NeighbourRow.key == key).values(failures=0, open_until=0)
    )
