"""The record of who did what: sealed AuditEvents, added and read, never changed nor deleted.

Rows are links of a few chains: the HMAC of each covers all of it and the HMAC of the one before, so
one that was changed, added or taken out by somebody without the key shows (audit_chain.py). Adding
locks the end of one chain until the transaction ends. So events wait until theirs commits and are
written as the last of it: whoever holds an end waits for nobody any more.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Select, and_, event, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from fhir_gateway.fhir.types import Resource
from fhir_gateway.store.access_tables import AuditChainRow, AuditEventRow, AuditKeyRow
from fhir_gateway.store.database import Transaction

#: So many transactions can add at once on PostgreSQL.
CHAINS = 8
PROVIDER, ENTITY = "provider", "entity"
_PURPOSE = "audit-entity"
_WAITING = "audit-waiting"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Entry:
    """An event to be added. `references`: what it can be found by (`Task/1`, `Patient/2`, or
    `system|value` of an identifier); `providers`: ODS codes of those who may read it."""

    event: Resource
    recorded: datetime
    type: str
    subtype: str
    action: str
    outcome: str
    agent: str
    references: frozenset[str] = frozenset()
    providers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Query:
    """Which events are wanted; None, or empty, is any. `since` is within, `before` is not.
    `providers`: only events of one of these; None: of anybody, for an admin."""

    providers: frozenset[str] | None = None
    since: datetime | None = None
    before: datetime | None = None
    agent: str = ""
    reference: str = ""
    #: Of each of these, one must be what the event is about.
    about: tuple[Collection[str], ...] = ()
    ids: Collection[str] = field(default_factory=tuple)
    agents: Collection[str] = field(default_factory=tuple)
    types: Collection[str] = field(default_factory=tuple)
    subtypes: Collection[str] = field(default_factory=tuple)
    actions: Collection[str] = field(default_factory=tuple)
    outcomes: Collection[str] = field(default_factory=tuple)


def append(tx: Transaction, entry: Entry) -> None:
    """Add an event when the transaction commits, which fails when it cannot be added; `event.id` is
    its id."""
    waiting: list[Entry] = tx.session.info.setdefault(_WAITING, [])
    waiting.append(entry)
    if len(waiting) > 1:
        return

    def before_commit(session: Session) -> None:
        del session
        for one in tx.session.info.pop(_WAITING):
            _write(tx, one)

    event.listen(tx.session, "before_commit", before_commit, once=True)


def _write(tx: Transaction, entry: Entry) -> None:
    end = _end(tx, tx.session.info.setdefault("audit-chain", secrets.randbelow(CHAINS)))
    keys = {(PROVIDER, code) for code in entry.providers}
    mac = tx.sealer.macs(_PURPOSE)[0]
    keys |= {(ENTITY, mac(name)) for name in entry.references}
    row = AuditEventRow(
        id=entry.event["id"],
        recorded=_milliseconds(entry.recorded),
        type=entry.type,
        subtype=entry.subtype,
        action=entry.action,
        outcome=entry.outcome,
        agent=_CONTROL.sub(" ", entry.agent)[:200],
        event_sealed=tx.sealer.seal(entry.event),
        chain=end.chain,
        position=end.position + 1,
    )
    row.mac = tx.sealer.mac("audit-chain", *link(row, end.mac, keys))
    tx.session.add(row)
    tx.session.flush()
    tx.session.add_all(AuditKeyRow(event_id=row.id, kind=k, value=v) for k, v in keys)
    end.position, end.mac = row.position, row.mac
    tx.session.flush()


def _milliseconds(moment: datetime) -> datetime:
    """As precise as AuditEvent.recorded says it."""
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


def link(row: AuditEventRow, before: str, keys: Iterable[tuple[str, str]]) -> list[str]:
    """What the HMAC of a link covers. `before`: the HMAC of the link before it."""
    content = hashlib.sha256(row.event_sealed).hexdigest()
    named = [f"{kind} {value}" for kind, value in sorted(keys)]
    at = row.recorded.astimezone(UTC).isoformat()
    plain = [row.id, at, row.type, row.subtype, row.action, row.outcome, row.agent]
    return [str(row.chain), str(row.position), before, *plain, content, *named]


def find(tx: Transaction, event_id: str, providers: frozenset[str] | None) -> Resource | None:
    """One event by its id, where a provider may read it (None: an admin)."""
    query = _matching(tx, Query(providers=providers)).where(AuditEventRow.id == event_id)
    row = tx.session.scalars(query).one_or_none()
    return tx.sealer.open(row.event_sealed) if row else None


def search(
    tx: Transaction,
    query: Query,
    *,
    limit: int,
    after: tuple[datetime, str] | None = None,
    oldest_first: bool = False,
) -> list[Resource]:
    """Events, newest first. `after`: `recorded` and id of the last one of the page before, so that
    pages stay as they are while events are added."""
    statement = _matching(tx, query)
    at, name = AuditEventRow.recorded, AuditEventRow.id
    if after is not None:
        moment, event_id = after
        beyond = at > moment if oldest_first else at < moment
        behind = name > event_id if oldest_first else name < event_id
        statement = statement.where(or_(beyond, and_(at == moment, behind)))
    order = (at, name) if oldest_first else (at.desc(), name.desc())
    found = tx.session.scalars(statement.order_by(*order).limit(limit))
    return [tx.sealer.open(row.event_sealed) for row in found]


def count(tx: Transaction, query: Query) -> int:
    """How many events there are."""
    matching = _matching(tx, query).subquery()
    return tx.session.execute(select(func.count()).select_from(matching)).scalar_one()


def _matching(tx: Transaction, query: Query) -> Select[AuditEventRow]:
    statement = select(AuditEventRow)
    if query.since:
        statement = statement.where(AuditEventRow.recorded >= query.since)
    if query.before:
        statement = statement.where(AuditEventRow.recorded < query.before)
    if query.agent:
        statement = statement.where(AuditEventRow.agent == query.agent)
    for column, wanted in (
        (AuditEventRow.id, query.ids),
        (AuditEventRow.agent, query.agents),
        (AuditEventRow.type, query.types),
        (AuditEventRow.subtype, query.subtypes),
        (AuditEventRow.action, query.actions),
        (AuditEventRow.outcome, query.outcomes),
    ):
        if wanted:
            statement = statement.where(column.in_(wanted))
    if query.providers is not None:
        statement = statement.where(_has(PROVIDER, query.providers))
    named = [(query.reference,)] if query.reference else []
    for wanted in (*named, *query.about):
        macs = [mac(name) for mac in tx.sealer.macs(_PURPOSE) for name in wanted]
        statement = statement.where(_has(ENTITY, macs))
    return statement


def _has(kind: str, values: Collection[str]) -> ColumnElement[bool]:
    keys = select(AuditKeyRow.event_id).where(
        AuditKeyRow.kind == kind, AuditKeyRow.value.in_(values)
    )
    return AuditEventRow.id.in_(keys)


def _end(tx: Transaction, chain: int) -> AuditChainRow:
    """The end of a chain, locked until the transaction ends."""
    query = (
        select(AuditChainRow)
        .where(AuditChainRow.chain == chain)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = tx.session.scalars(query).one_or_none()
    if found is None:
        dialect = tx.session.get_bind().dialect.name
        insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        first = insert(AuditChainRow).values(chain=chain, position=0, mac="")
        tx.session.execute(first.on_conflict_do_nothing())
        found = tx.session.scalars(query).one()
    return found
