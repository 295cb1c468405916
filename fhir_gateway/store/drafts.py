"""Requests that are being made: the response so far, and which contacts a code has verified."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, update

from fhir_gateway.fhir.types import Resource
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.tables import DraftRow


class DraftState(StrEnum):
    """Where a draft is; only OPEN can change."""

    OPEN = "open"
    #: An emergency sign was there; nothing is kept but the count.
    STOPPED = "stopped"
    SUBMITTED = "submitted"
    #: Deleted at the person's wish, or because its time was over.
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft. `verified`: E.164 number → ISO time at which its code was accepted."""

    id: str
    visit_id: str
    link_id: str
    service_slug: str
    questionnaire: str
    state: DraftState
    response: Resource
    verified: dict[str, str] = field(default_factory=dict)
    unlock_tries: int = 0


def create(
    tx: Transaction,
    *,
    visit_id: str,
    link_id: str,
    service_slug: str,
    questionnaire: str,
    response: Resource,
    now: datetime,
) -> str:
    """Begin a draft; its id, which is no secret: the visit's cookie is what opens it."""
    row = DraftRow(
        id=secrets.token_hex(8),
        visit_id=visit_id,
        link_id=link_id,
        service_slug=service_slug,
        questionnaire=questionnaire,
        state=DraftState.OPEN,
        response_sealed=tx.sealer.seal(response),
        unlock_tries=0,
        created_at=now,
        updated_at=now,
    )
    tx.session.add(row)
    tx.session.flush()
    return row.id


def find(tx: Transaction, draft_id: str, visit_id: str, *, lock: bool = False) -> Draft | None:
    """The draft, when it belongs to this visit; `lock` holds it until the transaction ends."""
    query = select(DraftRow).where(DraftRow.id == draft_id, DraftRow.visit_id == visit_id)
    row = tx.session.scalar(query.with_for_update() if lock else query)
    if row is None:
        return None
    return Draft(
        id=row.id,
        visit_id=row.visit_id,
        link_id=row.link_id,
        service_slug=row.service_slug,
        questionnaire=row.questionnaire,
        state=DraftState(row.state),
        response=tx.sealer.open(row.response_sealed) if row.response_sealed else {},
        verified=tx.sealer.open(row.verified_sealed) if row.verified_sealed else {},
        unlock_tries=row.unlock_tries,
    )


def save_response(tx: Transaction, draft_id: str, response: Resource, *, now: datetime) -> None:
    """Keep the response so far of an open draft."""
    tx.session.execute(
        update(DraftRow)
        .where(DraftRow.id == draft_id, DraftRow.state == DraftState.OPEN)
        .values(response_sealed=tx.sealer.seal(response), updated_at=now)
    )


def save_verified(tx: Transaction, draft: Draft, number: str, *, now: datetime) -> None:
    """A code sent to `number` (E.164) was accepted."""
    verified = {**draft.verified, number: now.isoformat(timespec="seconds")}
    tx.session.execute(
        update(DraftRow)
        .where(DraftRow.id == draft.id)
        .values(verified_sealed=tx.sealer.seal(verified), updated_at=now)
    )


def count_unlock_try(tx: Transaction, draft_id: str) -> int:
    """One more wrong try to open a locked draft; how many there were, this one included."""
    return tx.session.execute(
        update(DraftRow)
        .where(DraftRow.id == draft_id)
        .values(unlock_tries=DraftRow.unlock_tries + 1)
        .returning(DraftRow.unlock_tries)
    ).scalar_one()


def close(tx: Transaction, draft_id: str, state: DraftState, *, now: datetime) -> None:
    """End a draft and delete what was typed."""
    tx.session.execute(
        update(DraftRow)
        .where(DraftRow.id == draft_id)
        .values(state=state, response_sealed=None, verified_sealed=None, updated_at=now)
    )


def close_idle(tx: Transaction, before: datetime, *, now: datetime) -> int:
    """End open drafts that nobody touched since `before`; how many there were."""
    idle = tx.session.execute(
        update(DraftRow)
        .where(DraftRow.state == DraftState.OPEN, DraftRow.updated_at < before)
        .values(
            state=DraftState.DISCARDED, response_sealed=None, verified_sealed=None, updated_at=now
        )
        .returning(DraftRow.id)
    )
    return len(idle.all())
