"""Traces made by operators, one row each, written before PDS is asked."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.tables import OperatorTraceRow


@dataclass(frozen=True, slots=True)
class OperatorTrace:
    """Who traced, when, for which organisation, and how it ended. `asked`: reason and details."""

    id: str
    at: datetime
    operator: str
    ods_code: str
    asked: dict[str, Any]
    outcome: str
    calls: int


def begin(
    tx: Transaction, *, operator: str, ods_code: str, asked: dict[str, Any], now: datetime
) -> str:
    """Record a trace that is about to be made; its id. Commit before PDS is asked."""
    row = OperatorTraceRow(
        id=str(uuid.uuid4()),
        at=now,
        operator=operator[:120],
        ods_code=ods_code,
        asked_sealed=tx.sealer.seal(asked),
        outcome="asked",
        calls=0,
    )
    tx.session.add(row)
    tx.session.flush()
    return row.id


def end(tx: Transaction, trace_id: str, *, outcome: str, calls: int) -> None:
    """Record how it ended and how often PDS was called."""
    tx.session.execute(
        update(OperatorTraceRow)
        .where(OperatorTraceRow.id == trace_id)
        .values(outcome=outcome[:40], calls=calls)
    )


def newest(tx: Transaction, limit: int) -> list[OperatorTrace]:
    """The latest traces, newest first."""
    rows = tx.session.scalars(
        select(OperatorTraceRow).order_by(OperatorTraceRow.at.desc()).limit(limit)
    )
    return [
        OperatorTrace(
            row.id,
            row.at,
            row.operator,
            row.ods_code,
            tx.sealer.open(row.asked_sealed),
            row.outcome,
            row.calls,
        )
        for row in rows
    ]
