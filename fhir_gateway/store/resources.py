"""Resources that the FHIR API shows: written with their versions and their index, read by whoever
may see them. `visible` is in every query: nobody reads what another provider has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, true, tuple_

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.moments import instant
from fhir_gateway.fhir.search.parameters import TYPES
from fhir_gateway.fhir.search.values import Mac, rows
from fhir_gateway.fhir.types import Resource, as_dict
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.resource_tables import ResourceRow, ResourceVersionRow, SearchValueRow
from fhir_gateway.store.seal import Sealer

#: Provider of what is published to everybody.
PUBLIC = ""
#: Indexed by columns of the table `resource` itself.
_OWN_COLUMNS = ("_id", "_lastUpdated")
_MAC_DIGITS = 32
#: What the resources of one answer may weigh, sealed.
MAX_PAGE_BYTES = 24_000_000


@dataclass(frozen=True, slots=True)
class Visible:
    """Whose resources may be seen: those of these ODS codes (None: of all providers), and what is
    published to everybody."""

    providers: frozenset[str] | None

    def clause(self, row: Any = ResourceRow) -> ColumnElement[bool]:
        """The condition on a row of the table `resource`, or of its index."""
        if self.providers is None:
            return true()
        mine: ColumnElement[bool] = row.provider.in_(sorted({PUBLIC, *self.providers}))
        return mine


EVERYTHING = Visible(None)


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of a resource. `resource` None: it was deleted. `meta` is filled in."""

    type: str
    id: str
    version: int
    at: datetime
    resource: Resource | None
    provider: str
    method: str = ""
    by_client: bool = False
    sequence: int = 0


def macs_of(sealer: Sealer) -> list[Mac]:
    """The hashes that personal values may be indexed by: that of the current key first, which new
    rows are made with, then those of older keys."""

    def short(whole: Callable[..., str]) -> Mac:
        return lambda kind, value: whole(kind, value)[:_MAC_DIGITS]

    return [short(whole) for whole in sealer.macs("search")]


def write(
    tx: Transaction,
    resource: Resource,
    *,
    provider: str,
    now: datetime,
    by_client: bool = False,
    expected: int | None = None,
) -> Stored | None:
    """Keep a resource (with type and id) as its next version; None when it is the same as the
    current one, which stays.

    `expected`: the version that must be the current one. Raises VersionConflict when it is not, and
    OtherProvider when the id is another provider's.
    """
    if expected is not None:
        row = _held(tx, resource["resourceType"], resource["id"])
        if row is None or (row.provider == provider and row.version != expected):
            raise VersionConflict(resource["resourceType"])
    return write_all(tx, [(resource, by_client)], provider=provider, now=now)[0]


def write_all(
    tx: Transaction,
    given: Sequence[tuple[Resource, bool]],
    *,
    provider: str,
    now: datetime,
    request_id: str | None = None,
) -> list[Stored | None]:
    """As `write`, several at once: each with whether a client wrote it. `request_id`: of the
    request that they are a part of."""
    held = _all_held(tx, [(one["resourceType"], one["id"]) for one, _ in given])
    changed: list[tuple[ResourceRow, Resource]] = []
    kept: list[Stored | None] = []
    for resource, by_client in given:
        name, resource_id = resource["resourceType"], resource["id"]
        row = held.get((name, resource_id))
        digest = _digest(tx.sealer, resource)
        if row is not None and row.provider != provider:
            raise OtherProvider(name)
        if row is not None and row.digest == digest and not row.deleted:
            kept.append(None)
            continue
        version = row.version + 1 if row else 1
        content = with_meta(resource, version, now)
        if row is None:
            row = ResourceRow(type=name, id=resource_id, provider=provider, request_id=request_id)
            tx.session.add(row)
        row.version, row.updated_at, row.deleted, row.by_client = version, now, False, by_client
        row.digest, row.content_sealed = digest, tx.sealer.seal(content)
        changed.append((row, content))
        method = "POST" if version == 1 else "PUT"
        kept.append(Stored(name, resource_id, version, now, content, provider, method, by_client))
    tx.session.flush()
    for row, _ in changed:
        _keep_version(tx, row, "POST" if row.version == 1 else "PUT", now, row.content_sealed)
    _index(tx, changed)
    return kept


def remove(tx: Transaction, resource_type: str, resource_id: str, *, now: datetime) -> bool:
    """Mark a resource as deleted and take it out of the index; False when there is none. Its
    versions stay."""
    row = _held(tx, resource_type, resource_id)
    if row is None or row.deleted:
        return False
    row.version, row.updated_at, row.deleted = row.version + 1, now, True
    tx.session.flush()
    _keep_version(tx, row, "DELETE", now, None)
    tx.session.execute(delete(SearchValueRow).where(SearchValueRow.sequence == row.sequence))
    return True


class VersionConflict(Exception):
    """The resource has changed since the version that a change is based on."""


class OtherProvider(Exception):
    """The id belongs to a resource of another provider."""


def read(tx: Transaction, resource_type: str, resource_id: str, visible: Visible) -> Stored | None:
    """The current version of a resource, deleted or not; None when there is none to be seen."""
    row = tx.session.scalar(
        select(ResourceRow).where(
            ResourceRow.type == resource_type, ResourceRow.id == resource_id, visible.clause()
        )
    )
    return stored(tx, row) if row else None


def fitting(tx: Transaction, sequences: Sequence[int], budget: int) -> list[int]:
    """As many of these resources, in order, as have `budget` bytes together; one at least. Files
    that patients send are in their answers: a page of those must not fill the memory."""
    size = func.length(ResourceRow.content_sealed)
    query = select(ResourceRow.sequence, size).where(ResourceRow.sequence.in_(sequences))
    sizes = {sequence: int(taken) for sequence, taken in tx.session.execute(query)}
    fits: list[int] = []
    for sequence in sequences:
        budget -= sizes.get(sequence, 0)
        if budget < 0 and fits:
            break
        fits.append(sequence)
    return fits


def load(tx: Transaction, sequences: Sequence[int]) -> list[Stored]:
    """These resources, in this order."""
    rows = tx.session.scalars(select(ResourceRow).where(ResourceRow.sequence.in_(sequences)))
    by_sequence = {row.sequence: row for row in rows}
    return [stored(tx, by_sequence[s]) for s in sequences if s in by_sequence]


def stored(tx: Transaction, row: ResourceRow) -> Stored:
    """A row as what it holds."""
    content = None if row.deleted else tx.sealer.open(row.content_sealed)
    return Stored(
        row.type,
        row.id,
        row.version,
        row.updated_at,
        content,
        row.provider,
        by_client=row.by_client,
        sequence=row.sequence,
    )


def with_meta(resource: Resource, version: int, now: datetime) -> Resource:
    """The resource as it is kept: with versionId and lastUpdated."""
    meta = {"versionId": str(version), "lastUpdated": instant(now)}
    rest = {k: v for k, v in resource.items() if k not in ("resourceType", "id", "meta")}
    return {
        "resourceType": resource["resourceType"],
        "id": resource["id"],
        "meta": {
            **meta,
            **{k: v for k, v in as_dict(resource.get("meta")).items() if k not in meta},
        },
        **rest,
    }


def _held(tx: Transaction, resource_type: str, resource_id: str) -> ResourceRow | None:
    return _all_held(tx, [(resource_type, resource_id)]).get((resource_type, resource_id))


def _all_held(
    tx: Transaction, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], ResourceRow]:
    """The rows with these types and ids that there are, held until the transaction ends; always in
    the same order, so that two never wait for each other."""
    found = tx.session.scalars(
        select(ResourceRow)
        .where(tuple_(ResourceRow.type, ResourceRow.id).in_(keys))
        .order_by(ResourceRow.sequence)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {(row.type, row.id): row for row in found}


def _digest(sealer: Sealer, resource: Resource) -> str:
    """Of the content but for version and moment."""
    meta = {
        k: v
        for k, v in as_dict(resource.get("meta")).items()
        if k not in ("versionId", "lastUpdated")
    }
    rest = {k: v for k, v in resource.items() if k != "meta"}
    return sealer.mac("resource", fhir_json.dump({**rest, "meta": meta}).decode())


def _keep_version(
    tx: Transaction, row: ResourceRow, method: str, now: datetime, sealed: bytes | None
) -> None:
    tx.session.add(
        ResourceVersionRow(
            sequence=row.sequence,
            version=row.version,
            method=method,
            at=now,
            content_sealed=sealed,
        )
    )


def _index(tx: Transaction, changed: Sequence[tuple[ResourceRow, Resource]]) -> None:
    before = [row.sequence for row, _ in changed if row.version > 1]
    if before:
        tx.session.execute(delete(SearchValueRow).where(SearchValueRow.sequence.in_(before)))
    listed = [
        values
        for row, content in changed
        for values in index_rows(tx.sealer, row.sequence, row.provider, content)
    ]
    if listed:
        tx.session.execute(insert(SearchValueRow), listed)


def index_rows(
    sealer: Sealer, sequence: int, provider: str, content: Resource
) -> list[dict[str, Any]]:
    """The rows of a resource's index, as columns."""
    if content["resourceType"] not in TYPES:
        return []
    found = rows(content, macs_of(sealer)[0])
    return [
        {
            "sequence": sequence,
            "type": content["resourceType"],
            "provider": provider,
            **row._asdict(),
        }
        for row in found
        if row.parameter not in _OWN_COLUMNS
    ]


def request_of(tx: Transaction, resource_type: str, resource_id: str) -> str | None:
    """The request that a resource is a part of, if any."""
    return tx.session.scalar(
        select(ResourceRow.request_id).where(
            ResourceRow.type == resource_type, ResourceRow.id == resource_id
        )
    )


def of_request(tx: Transaction, resource_type: str, request_id: str) -> Stored | None:
    """The first resource of a type that a request is shown as, or None."""
    row = tx.session.scalar(
        select(ResourceRow)
        .where(ResourceRow.request_id == request_id, ResourceRow.type == resource_type)
        .order_by(ResourceRow.sequence)
        .limit(1)
    )
    return stored(tx, row) if row else None
