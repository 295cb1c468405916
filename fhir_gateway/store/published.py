"""Questionnaires that clients of the API published, and whether a version is in use."""

from __future__ import annotations

from sqlalchemy import select

from fhir_gateway.fhir.types import Resource
from fhir_gateway.store.database import Database, Transaction
from fhir_gateway.store.resource_tables import ResourceRow
from fhir_gateway.store.tables import DraftRow, RequestRow


def questionnaires(database: Database) -> list[Resource]:
    """All that clients published, in the order of their publication."""
    with database.reading() as tx:
        rows = tx.session.scalars(
            select(ResourceRow.content_sealed)
            .where(
                ResourceRow.type == "Questionnaire",
                ResourceRow.by_client.is_(True),
                ResourceRow.deleted.is_(False),
            )
            .order_by(ResourceRow.sequence)
        ).all()
        return [tx.sealer.open(sealed) for sealed in rows]


def is_used(tx: Transaction, canonical: str) -> bool:
    """Whether anybody has begun or sent a request by this version."""
    return any(
        tx.session.scalar(select(row.id).where(row.questionnaire == canonical).limit(1)) is not None
        for row in (DraftRow, RequestRow)
    )
