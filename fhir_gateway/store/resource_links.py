"""What a page of matches brings along: `_include`, `_revinclude`, and the versions of resources."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, false, func, literal, or_, select, tuple_

from fhir_gateway.fhir.search.parameter import Kind
from fhir_gateway.fhir.search.parameters import TYPES
from fhir_gateway.fhir.search.query import Include
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.resource_tables import ResourceRow, ResourceVersionRow, SearchValueRow
from fhir_gateway.store.resources import MAX_PAGE_BYTES, Stored, Visible, load

#: Bounds on what one page brings along.
MAX_INCLUDED = 1000
MAX_ROUNDS = 5


class _Found(NamedTuple):
    """A resource that an include leads to, before it is opened. `size`: of its content, sealed."""

    sequence: int
    type: str
    id: str
    size: int


def included(
    tx: Transaction, matches: Sequence[Stored], includes: Sequence[Include], visible: Visible
) -> tuple[list[Stored], bool]:
    """What the includes lead to from these matches, each once and no match again; and whether all
    of it is there, because there is a bound."""
    fresh = [_Found(m.sequence, m.type, m.id, 0) for m in matches]
    seen = {row.sequence for row in fresh}
    found: list[int] = []
    left = MAX_PAGE_BYTES
    for turn in range(MAX_ROUNDS):
        asked = [i for i in includes if turn == 0 or i.iterate]
        rows = [row for i in asked for row in _led_to(tx, fresh, i, visible)] if fresh else []
        fresh = []
        for row in rows:
            if row.sequence in seen:
                continue
            left -= row.size
            if len(found) >= MAX_INCLUDED or left < 0:
                return load(tx, found), False
            seen.add(row.sequence)
            fresh.append(row)
            found.append(row.sequence)
    return load(tx, found), True


def _led_to(
    tx: Transaction, nearby: Sequence[_Found], include: Include, visible: Visible
) -> list[_Found]:
    names = [include.parameter]
    if include.parameter == "*":
        kinds = (Kind.REFERENCE, Kind.CANONICAL)
        names = [p.name for p in TYPES[include.source].values() if p.kind in kinds]
    found = _back if include.reverse else _forth
    by_url = _canonical_back if include.reverse else _canonical
    return [
        *found(tx, nearby, include, names, visible),
        *by_url(tx, nearby, include, names, visible),
    ]


def _rows(tx: Transaction, condition: Any, visible: Visible) -> list[_Found]:
    row = ResourceRow
    statement = (
        select(row.sequence, row.type, row.id, func.length(row.content_sealed))
        .where(condition, ResourceRow.deleted.is_(False), visible.clause())
        .order_by(ResourceRow.sequence)
        .limit(MAX_INCLUDED + 1)
    )
    return [_Found(*found) for found in tx.session.execute(statement)]


def _of_type(nearby: Sequence[_Found], kind: str) -> list[int]:
    return [row.sequence for row in nearby if row.type == kind]


def _forth(
    tx: Transaction, nearby: Sequence[_Found], include: Include, names: list[str], visible: Visible
) -> list[_Found]:
    statement = (
        select(SearchValueRow.system, SearchValueRow.value)
        .where(
            SearchValueRow.type == include.source,
            SearchValueRow.parameter.in_(names),
            SearchValueRow.sequence.in_(_of_type(nearby, include.source)),
            SearchValueRow.system.in_([include.target] if include.target else list(TYPES)),
        )
        .distinct()
    )
    by_type: dict[str, list[str]] = {}
    for kind, value in tx.session.execute(statement):
        by_type.setdefault(kind, []).append(value)
    return [
        row
        for kind, ids in by_type.items()
        for row in _rows(tx, and_(ResourceRow.type == kind, ResourceRow.id.in_(ids)), visible)
    ]


def _back(
    tx: Transaction, nearby: Sequence[_Found], include: Include, names: list[str], visible: Visible
) -> list[_Found]:
    by_type: dict[str, list[str]] = {}
    for row in nearby:
        if include.target in ("", row.type):
            by_type.setdefault(row.type, []).append(row.id)
    if not by_type:
        return []
    targets = [
        and_(SearchValueRow.system == kind, SearchValueRow.value.in_(ids))
        for kind, ids in by_type.items()
    ]
    chosen = select(SearchValueRow.sequence).where(
        SearchValueRow.type == include.source,
        SearchValueRow.parameter.in_(names),
        visible.clause(SearchValueRow),
        or_(*targets),
    )
    return _rows(tx, ResourceRow.sequence.in_(chosen), visible)


def _canonical(
    tx: Transaction, nearby: Sequence[_Found], include: Include, names: list[str], visible: Visible
) -> list[_Found]:
    """What canonicals lead to: the definition of that url and, if named, version."""
    canonical = [n for n in names if TYPES[include.source][n].kind is Kind.CANONICAL]
    if not canonical:
        return []
    statement = (
        select(SearchValueRow.value, SearchValueRow.system)
        .where(
            SearchValueRow.type == include.source,
            SearchValueRow.parameter.in_(canonical),
            SearchValueRow.sequence.in_(_of_type(nearby, include.source)),
        )
        .distinct()
    )
    kinds = {k for n in canonical for k in TYPES[include.source][n].targets}
    found: list[_Found] = []
    for url, version in tx.session.execute(statement).all():
        wanted = [("url", url), *([("version", version)] if version else [])]
        parts = [
            ResourceRow.sequence.in_(
                select(SearchValueRow.sequence).where(
                    SearchValueRow.type.in_(kinds),
                    SearchValueRow.parameter == name,
                    visible.clause(SearchValueRow),
                    SearchValueRow.value == value,
                )
            )
            for name, value in wanted
        ]
        found += _rows(tx, and_(*parts), visible)
    return found


def _canonical_back(
    tx: Transaction, nearby: Sequence[_Found], include: Include, names: list[str], visible: Visible
) -> list[_Found]:
    """What names these definitions by their url, with their version or with none."""
    parameters = [p for n in names if (p := TYPES[include.source][n]).kind is Kind.CANONICAL]
    kinds = {k for p in parameters for k in p.targets if include.target in ("", k)}
    sequences = [row.sequence for row in nearby if row.type in kinds]
    if not sequences:
        return []
    told: dict[int, dict[str, str]] = {}
    statement = select(SearchValueRow.sequence, SearchValueRow.parameter, SearchValueRow.value)
    for sequence, parameter, value in tx.session.execute(
        statement.where(
            SearchValueRow.sequence.in_(sequences),
            SearchValueRow.parameter.in_(("url", "version")),
        )
    ):
        told.setdefault(sequence, {})[parameter] = value
    targets = [
        and_(
            SearchValueRow.value == one["url"],
            SearchValueRow.system.in_({"", one.get("version", "")}),
        )
        for one in told.values()
        if "url" in one
    ]
    chosen = select(SearchValueRow.sequence).where(
        SearchValueRow.type == include.source,
        SearchValueRow.parameter.in_([p.name for p in parameters]),
        visible.clause(SearchValueRow),
        or_(false(), *targets),
    )
    return _rows(tx, ResourceRow.sequence.in_(chosen), visible)


def versions(
    tx: Transaction,
    resource_type: str,
    visible: Visible,
    *,
    resource_id: str | None = None,
    version: int | None = None,
    since: datetime | None = None,
    before: tuple[datetime, int, int] | None = None,
    limit: int = 100,
) -> list[Stored]:
    """Versions of one resource or of a type, newest first. `before`: moment, sequence and
    number of the version after which to go on."""
    row, past = ResourceRow, ResourceVersionRow
    statement = (
        select(row, past)
        .join(past, past.sequence == row.sequence)
        .where(row.type == resource_type, visible.clause())
    )
    if resource_id is not None:
        statement = statement.where(row.id == resource_id)
    if version is not None:
        statement = statement.where(past.version == version)
    if since is not None:
        statement = statement.where(past.at >= since)
    if before is not None:
        at, *rest = before
        behind = tuple_(past.sequence, past.version) < tuple_(*map(literal, rest))
        statement = statement.where(or_(past.at < at, and_(past.at == at, behind)))
    order = (past.at.desc(), past.sequence.desc(), past.version.desc())
    return [
        Stored(
            current.type,
            current.id,
            one.version,
            one.at,
            tx.sealer.open(one.content_sealed) if one.content_sealed else None,
            current.provider,
            one.method,
            sequence=one.sequence,
        )
        for current, one in tx.session.execute(statement.order_by(*order).limit(limit)).all()
    ]


def count_versions(
    tx: Transaction, resource_type: str, visible: Visible, resource_id: str | None = None
) -> int:
    """How many versions there are."""
    statement = (
        select(func.count())
        .select_from(ResourceVersionRow)
        .join(ResourceRow, ResourceRow.sequence == ResourceVersionRow.sequence)
        .where(ResourceRow.type == resource_type, visible.clause())
    )
    if resource_id is not None:
        statement = statement.where(ResourceRow.id == resource_id)
    return tx.session.scalar(statement) or 0
