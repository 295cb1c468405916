"""Links that were given out. The token itself is never stored."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from fhir_gateway.store.database import Transaction
from fhir_gateway.store.seal import token_hash
from fhir_gateway.store.tables import LinkRow


@dataclass(frozen=True, slots=True)
class BoundPatient:
    """The one patient a link was made for, and the number (E.164) it was texted to."""

    nhs_number: str
    mobile: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link. `bound_to` is None for a link of a whole service."""

    id: str
    service_slug: str
    bound_to: BoundPatient | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        """Whether it still leads to the service."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def add(
    tx: Transaction,
    token: str,
    service_slug: str,
    *,
    bound_to: BoundPatient | None,
    expires_at: datetime | None,
    now: datetime,
) -> str:
    """Keep a new link; its id."""
    row = LinkRow(
        id=str(uuid.uuid4()),
        token_hash=token_hash(token),
        service_slug=service_slug,
        bound_to_sealed=_seal(tx, bound_to),
        created_at=now,
        expires_at=expires_at,
    )
    tx.session.add(row)
    tx.session.flush()
    return row.id


def by_token(tx: Transaction, token: str) -> Link | None:
    """The link of a token, open or not, or None."""
    row = tx.session.scalar(select(LinkRow).where(LinkRow.token_hash == token_hash(token)))
    return _link(tx, row) if row else None


def by_id(tx: Transaction, link_id: str) -> Link | None:
    """The link with this id, or None."""
    row = tx.session.get(LinkRow, link_id)
    return _link(tx, row) if row else None


def revoke(tx: Transaction, link_id: str, *, now: datetime) -> bool:
    """Close a link for good; False when there is none with this id."""
    row = tx.session.get(LinkRow, link_id)
    if row is None:
        return False
    row.revoked_at = row.revoked_at or now
    return True


def _seal(tx: Transaction, bound_to: BoundPatient | None) -> bytes | None:
    if bound_to is None:
        return None
    return tx.sealer.seal({"nhs_number": bound_to.nhs_number, "mobile": bound_to.mobile})


def _link(tx: Transaction, row: LinkRow) -> Link:
    bound = tx.sealer.open(row.bound_to_sealed) if row.bound_to_sealed else None
    return Link(
        id=row.id,
        service_slug=row.service_slug,
        bound_to=BoundPatient(**bound) if bound else None,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
