"""Invitations by identifier: what makes that nobody is sent the same text twice."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, update

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.outreach_tables import InvitationRow


class InvitationState(StrEnum):
    """How an invitation stands."""

    #: Taken in hand; whether a text left is not known.
    ASKED = "asked"
    SENT = "sent"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation. `code`: why it was refused."""

    id: str
    content_mac: str
    state: InvitationState
    code: str
    link_id: str | None
    asked_at: datetime


def hold(tx: Transaction, key_mac: str) -> Invitation | None:
    """The invitation with this key, held until the transaction ends; None when there is none."""
    row = tx.session.scalar(
        select(InvitationRow).where(InvitationRow.key_mac == key_mac).with_for_update()
    )
    if row is None:
        return None
    state = InvitationState(row.state)
    return Invitation(row.id, row.content_mac, state, row.code, row.link_id, row.asked_at)


def ask(tx: Transaction, key_mac: str, content_mac: str, *, now: datetime) -> str:
    """Take a new one in hand; its id. Raises IntegrityError when another has this key."""
    row = InvitationRow(
        id=str(uuid.uuid4()),
        key_mac=key_mac,
        content_mac=content_mac,
        state=InvitationState.ASKED,
        asked_at=now,
    )
    tx.session.add(row)
    tx.session.flush()
    return row.id


def ask_again(tx: Transaction, invitation_id: str, *, now: datetime) -> None:
    """Take one in hand again."""
    tx.session.execute(
        update(InvitationRow)
        .where(InvitationRow.id == invitation_id)
        .values(asked_at=now, state=InvitationState.ASKED, code="")
    )


def settle(
    tx: Transaction,
    invitation_id: str,
    state: InvitationState,
    *,
    code: str = "",
    link_id: str | None = None,
) -> None:
    """How it ended."""
    tx.session.execute(
        update(InvitationRow)
        .where(InvitationRow.id == invitation_id)
        .values(state=state, code=code, link_id=link_id)
    )
