"""Files of drafts, sealed like all that patients send."""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.tables import AttachmentRow


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file: its media type and bytes."""

    content_type: str
    data: bytes


def add(
    tx: Transaction,
    attachment_id: str,
    draft_id: str,
    content_type: str,
    data: bytes,
    *,
    now: datetime,
) -> None:
    """Keep a file of a draft."""
    tx.session.add(
        AttachmentRow(
            id=attachment_id,
            draft_id=draft_id,
            content_type=content_type,
            size=len(data),
            content_sealed=tx.sealer.seal(base64.b64encode(data).decode()),
            created_at=now,
        )
    )
    tx.session.flush()


def find(tx: Transaction, attachment_id: str, draft_id: str) -> Attachment | None:
    """A file, when it belongs to this draft."""
    row = tx.session.scalar(
        select(AttachmentRow).where(
            AttachmentRow.id == attachment_id, AttachmentRow.draft_id == draft_id
        )
    )
    if row is None:
        return None
    return Attachment(row.content_type, base64.b64decode(tx.sealer.open(row.content_sealed)))


def total_size(tx: Transaction, draft_id: str) -> int:
    """How many bytes the files of a draft have in all."""
    query = select(func.coalesce(func.sum(AttachmentRow.size), 0)).where(
        AttachmentRow.draft_id == draft_id
    )
    return int(tx.session.scalar(query) or 0)


def keep_only(tx: Transaction, draft_id: str, kept: Collection[str]) -> None:
    """Delete the files of a draft that nothing refers to any more."""
    tx.session.execute(
        delete(AttachmentRow).where(
            AttachmentRow.draft_id == draft_id, AttachmentRow.id.not_in(list(kept))
        )
    )
