"""Requests that are being made: the response so far, and which contacts a code has verified."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, or_, select, update

from fhir_gateway.fhir.types import Resource
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.tables import AttachmentRow, DraftRow, RequestRow


class DraftState(StrEnum):
    """Where a draft is; only OPEN can change."""

    OPEN = "open"
    #: An emergency sign was there; nothing is kept but the count.
    STOPPED = "stopped"
    SUBMITTED = "submitted"
    #: Deleted at the person's wish, or because its time was over.
    DISCARDED = "discarded"


@dataclass(slots=True)
class Progress:
    """What is kept of a draft, sealed.

    `response`: QuestionnaireResponse in progress. `visited`: names of the pages that were
    answered. `verified`: E.164 number → ISO time at which its code was accepted. `link_token`:
    the token of the link, so that pages can lead back to where the person came from. `language`:
    the language of the pages, a BCP 47 tag. `dropped`: questions whose answers could not be kept
    when the Questionnaire changed, and that have not been shown yet.
    """

    response: Resource
    visited: list[str] = field(default_factory=list)
    verified: dict[str, str] = field(default_factory=dict)
    link_token: str = ""
    language: str = ""
    dropped: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft."""

    id: str
    visit_id: str
    link_id: str
    service_slug: str
    questionnaire: str
    state: DraftState
    progress: Progress
    unlock_tries: int
    #: Until when it is saved for later; None: it ends with its session.
    saved_until: datetime | None = None


def create(
    tx: Transaction,
    *,
    visit_id: str,
    link_id: str,
    service_slug: str,
    questionnaire: str,
    progress: Progress,
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
        progress_sealed=tx.sealer.seal(asdict(progress)),
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
    return _draft(tx, row) if row is not None else None


def of_request(tx: Transaction, request_id: str) -> Draft | None:
    """The draft that became a request, without its answers; None for one from elsewhere."""
    query = select(DraftRow).join(RequestRow, RequestRow.draft_id == DraftRow.id)
    row = tx.session.scalar(query.where(RequestRow.id == request_id))
    return _draft(tx, row) if row is not None else None


def find_saved(tx: Transaction, mac: str, *, now: datetime) -> Draft | None:
    """The newest draft that was saved for later under this HMAC of link and number."""
    row = tx.session.scalar(
        select(DraftRow)
        .where(
            DraftRow.saved_mac == mac,
            DraftRow.state == DraftState.OPEN,
            DraftRow.saved_until > now,
        )
        .order_by(DraftRow.updated_at.desc())
        .limit(1)
    )
    return _draft(tx, row) if row is not None else None


def save_for_later(
    tx: Transaction, draft_id: str, mac: str, *, until: datetime, now: datetime
) -> None:
    """Let a draft outlive its session, to be opened again by link and number."""
    tx.session.execute(
        update(DraftRow)
        .where(DraftRow.id == draft_id, DraftRow.state == DraftState.OPEN)
        .values(saved_mac=mac, saved_until=until, updated_at=now)
    )


def move(
    tx: Transaction, draft: Draft, visit_id: str, *, questionnaire: str, now: datetime
) -> None:
    """Give a draft to another session, with its progress on this Questionnaire."""
    tx.session.execute(
        update(DraftRow)
        .where(DraftRow.id == draft.id, DraftRow.state == DraftState.OPEN)
        .values(
            visit_id=visit_id,
            questionnaire=questionnaire,
            progress_sealed=tx.sealer.seal(asdict(draft.progress)),
            unlock_tries=0,
            updated_at=now,
        )
    )


def _draft(tx: Transaction, row: DraftRow) -> Draft:
    kept = tx.sealer.open(row.progress_sealed) if row.progress_sealed else {"response": {}}
    return Draft(
        id=row.id,
        visit_id=row.visit_id,
        link_id=row.link_id,
        service_slug=row.service_slug,
        questionnaire=row.questionnaire,
        state=DraftState(row.state),
        progress=Progress(**kept),
        unlock_tries=row.unlock_tries,
        saved_until=row.saved_until,
    )


def newest_open(tx: Transaction, visit_id: str) -> str | None:
    """The id of the visit's draft that was touched last, when one is open."""
    return tx.session.scalar(
        select(DraftRow.id)
        .where(DraftRow.visit_id == visit_id, DraftRow.state == DraftState.OPEN)
        .order_by(DraftRow.updated_at.desc())
        .limit(1)
    )


def save(
    tx: Transaction, draft: Draft, *, now: datetime, state: DraftState = DraftState.OPEN
) -> None:
    """Keep the progress of an open draft, and where it is now."""
    tx.session.execute(
        update(DraftRow)
        .where(DraftRow.id == draft.id, DraftRow.state == DraftState.OPEN)
        .values(progress_sealed=tx.sealer.seal(asdict(draft.progress)), state=state, updated_at=now)
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
    """End a draft and delete what was typed, and its files."""
    tx.session.execute(delete(AttachmentRow).where(AttachmentRow.draft_id == draft_id))
    tx.session.execute(
        update(DraftRow)
        .where(DraftRow.id == draft_id)
        .values(state=state, progress_sealed=None, saved_mac=None, updated_at=now)
    )


def close_idle(tx: Transaction, before: datetime, *, now: datetime) -> int:
    """End open drafts that nobody touched since `before`, less those that are saved for later; how
    many there were."""
    idle = tx.session.scalars(
        update(DraftRow)
        .where(
            DraftRow.state == DraftState.OPEN,
            DraftRow.updated_at < before,
            or_(DraftRow.saved_until.is_(None), DraftRow.saved_until <= now),
        )
        .values(state=DraftState.DISCARDED, progress_sealed=None, saved_mac=None, updated_at=now)
        .returning(DraftRow.id)
    ).all()
    tx.session.execute(delete(AttachmentRow).where(AttachmentRow.draft_id.in_(idle)))
    return len(idle)
