"""Further tables: what lets requests through to neighbours, alarms, and processes that deliver
(tables.py has the rest)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from fhir_gateway.store.tables import Base as Base
from fhir_gateway.store.tables import UtcDateTime


class GateRow(Base):
    """How things stand with an EPR or a text provider: one row that all processes share."""

    __tablename__ = "gate"

    name: Mapped[str] = mapped_column(String(300), primary_key=True)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Who paused it and why, in an operator's words.
    paused_by: Mapped[str] = mapped_column(String(200), default="")
    #: Failures in a row within the window that began at `failing_since`.
    failures: Mapped[int] = mapped_column(Integer, default=0)
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: The circuit is open until then; the first call after it is the probe.
    open_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Nothing may leave before (the theoretical arrival time of the generic cell rate algorithm).
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class AlarmRow(Base):
    """Something that a person must know of, from when it began until it is over."""

    __tablename__ = "alarm"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    #: A service's short name, or a neighbour's name.
    subject: Mapped[str] = mapped_column(String(300), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    #: Numbers and codes for operators; nothing of patients.
    detail: Mapped[str] = mapped_column(String(400), default="")
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    cleared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: When all channels had the news of its beginning, and of its end.
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    told_cleared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: Until when one process has it in hand to tell.
    telling_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WorkerRow(Base):
    """A process that delivers; its beat tells whether it is alive. One row a run of a process."""

    __tablename__ = "worker"

    executor_id: Mapped[str] = mapped_column(String(120), primary_key=True)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Where it runs, and its number and start there (processes.Place); '' where that is unknown.
    machine: Mapped[str] = mapped_column(String(80), default="")
    pid: Mapped[int] = mapped_column(Integer, default=0)
    started: Mapped[str] = mapped_column(String(40), default="")
    #: Who takes over what it left, and since when.
    taker: Mapped[str | None] = mapped_column(String(120))
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class NeighbourRow(Base):
    """How fast a neighbour may be called and whether it is well, for all processes together.
    Moments are microseconds since 1970, so that one statement can reckon with them."""

    __tablename__ = "neighbour"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    #: From when the next call may be made.
    next_at: Mapped[int] = mapped_column(BigInteger)
    #: Calls that failed in a row.
    failures: Mapped[int] = mapped_column(Integer)
    #: Until when no call is made; 0: the breaker is closed.
    open_until: Mapped[int] = mapped_column(BigInteger)
