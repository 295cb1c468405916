"""Services that were imported, as Bundles."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import Resource
from fhir_gateway.provider.service import organisation_code
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.tables import ServiceRow


def save(tx: Transaction, slug: str, bundle: Resource, *, now: datetime) -> bool:
    """Keep a service's Bundle; True when it is new, False when it replaced one."""
    row = tx.session.get(ServiceRow, slug)
    content, ods_code = fhir_json.dump(bundle), organisation_code(bundle)
    if row is None:
        tx.session.add(ServiceRow(slug=slug, bundle=content, ods_code=ods_code, imported_at=now))
        return True
    row.bundle, row.ods_code, row.imported_at = content, ods_code, now
    return False


def find(tx: Transaction, slug: str) -> Resource | None:
    """The Bundle of a service, or None."""
    row = tx.session.get(ServiceRow, slug)
    return fhir_json.parse(row.bundle) if row else None


def imported(tx: Transaction, slug: str) -> bytes | None:
    """The Bundle of a service as it is kept, for `read`; or None."""
    return tx.session.scalar(select(ServiceRow.bundle).where(ServiceRow.slug == slug))


def read(bundle: bytes) -> Resource:
    """The Bundle in what `imported` found."""
    read: Resource = fhir_json.parse(bundle)
    return read


def slugs(tx: Transaction) -> list[str]:
    """The short names of all services."""
    return list(tx.session.scalars(select(ServiceRow.slug).order_by(ServiceRow.slug)))


def of_providers(tx: Transaction, ods_codes: Collection[str]) -> list[str]:
    """The short names of the services of these organisations."""
    query = select(ServiceRow.slug).where(ServiceRow.ods_code.in_(ods_codes))
    return list(tx.session.scalars(query.order_by(ServiceRow.slug)))


def provider_of(tx: Transaction, slug: str) -> str:
    """The ODS code of the organisation that provides a service; "" when nobody knows it."""
    query = select(ServiceRow.ods_code).where(ServiceRow.slug == slug)
    return tx.session.scalars(query).one_or_none() or ""
