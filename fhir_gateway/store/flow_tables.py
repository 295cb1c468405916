"""Further tables: what lets requests through to neighbours, and alarms (tables.py has the rest)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, String
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
