"""Security codes that were texted: their HMAC, their life, and how often they were tried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.tables import SecurityCodeRow


@dataclass(frozen=True, slots=True)
class SecurityCode:
    """The code that is valid now for a draft, if it is."""

    id: str
    contact_mac: str
    code_mac: str
    sent_at: datetime
    expires_at: datetime
    tries: int


def add(
    tx: Transaction,
    *,
    code_id: str,
    draft_id: str,
    contact_mac: str,
    code_mac: str,
    expires_at: datetime,
    now: datetime,
) -> None:
    """Keep a new code and kill every older one of the draft. `code_id` salts its HMAC."""
    close_all(tx, draft_id, now=now)
    row = SecurityCodeRow(
        id=code_id,
        draft_id=draft_id,
        contact_mac=contact_mac,
        code_mac=code_mac,
        sent_at=now,
        expires_at=expires_at,
        tries=0,
    )
    tx.session.add(row)
    tx.session.flush()


def current(tx: Transaction, draft_id: str) -> SecurityCode | None:
    """The newest code of a draft that was neither used nor killed; it may have expired."""
    row = tx.session.scalar(
        select(SecurityCodeRow)
        .where(SecurityCodeRow.draft_id == draft_id, SecurityCodeRow.closed_at.is_(None))
        .order_by(SecurityCodeRow.sent_at.desc())
        .limit(1)
    )
    if row is None:
        return None
    return SecurityCode(
        row.id, row.contact_mac, row.code_mac, row.sent_at, row.expires_at, row.tries
    )


def count_try(tx: Transaction, code_id: str) -> int:
    """One more try of a code, counted before it is compared; how many there were by now."""
    return tx.session.execute(
        update(SecurityCodeRow)
        .where(SecurityCodeRow.id == code_id)
        .values(tries=SecurityCodeRow.tries + 1)
        .returning(SecurityCodeRow.tries)
    ).scalar_one()


def close_all(tx: Transaction, draft_id: str, *, now: datetime) -> None:
    """Kill every code of a draft."""
    tx.session.execute(
        update(SecurityCodeRow)
        .where(SecurityCodeRow.draft_id == draft_id, SecurityCodeRow.closed_at.is_(None))
        .values(closed_at=now)
    )
