"""Checking the chains of the audit: whether rows were changed, added or taken out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from fhir_gateway.store.access_tables import AuditChainRow, AuditEventRow, AuditKeyRow
from fhir_gateway.store.audit_log import link
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.seal import same

_BATCH = 500


@dataclass(frozen=True, slots=True)
class End:
    """Where a chain ends: how many links it has, and the HMAC of the last."""

    position: int
    mac: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found: how many events, what is wrong (a sentence each), where chains end. Keep
    the ends elsewhere: only they tell that the newest events were cut off."""

    events: int
    problems: list[str]
    ends: dict[int, End]


def check(tx: Transaction, earlier: Mapping[int, End] | None = None) -> Checked:
    """Check every link of every chain, and that the ends of an earlier check are still there."""
    problems: list[str] = []
    ends = {row.chain: End(row.position, row.mac) for row in _chains(tx)}
    links: dict[int, dict[int, str]] = {}
    for chain in sorted({*ends, *_named(tx)}):
        macs = links[chain] = _check_one(tx, chain, problems)
        end = ends.get(chain, End(0, ""))
        last = max(macs, default=0)
        if last != end.position or macs.get(last, "") != end.mac:
            problems.append(f"Chain {chain} does not end where it says: link {end.position}.")
    for chain, end in (earlier or {}).items():
        if end.position and links.get(chain, {}).get(end.position) != end.mac:
            problems.append(f"Chain {chain} has no longer the link {end.position} it ended with.")
    return Checked(sum(map(len, links.values())), problems, ends)


def _check_one(tx: Transaction, chain: int, problems: list[str]) -> dict[int, str]:
    """The HMACs of the links of a chain, by position."""
    macs: dict[int, str] = {}
    before, expected, by_keys = "", 1, tx.sealer.macs("audit-chain")
    while rows := _batch(tx, chain, expected - 1):
        keys = _keys(tx, [row.id for row in rows])
        for row in rows:
            if row.position != expected:
                problems.append(f"Chain {chain}: links {expected} to {row.position - 1} are gone.")
            parts = link(row, before, keys[row.id])
            # After a gap the link before is not known, and the link itself cannot be checked.
            if row.position == expected and not any(same(row.mac, by(*parts)) for by in by_keys):
                problems.append(f"Chain {chain}: link {row.position} ({row.id}) was changed.")
            macs[row.position] = before = row.mac
            expected = row.position + 1
        tx.session.expunge_all()
    return macs


def _batch(tx: Transaction, chain: int, after: int) -> list[AuditEventRow]:
    query = select(AuditEventRow).where(
        AuditEventRow.chain == chain, AuditEventRow.position > after
    )
    return list(tx.session.scalars(query.order_by(AuditEventRow.position).limit(_BATCH)))


def _keys(tx: Transaction, ids: Iterable[str]) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in tx.session.scalars(select(AuditKeyRow).where(AuditKeyRow.event_id.in_(ids))):
        found[row.event_id].add((row.kind, row.value))
    return found


def _chains(tx: Transaction) -> Iterable[AuditChainRow]:
    return tx.session.scalars(select(AuditChainRow)).all()


def _named(tx: Transaction) -> Iterable[int]:
    return tx.session.scalars(select(AuditEventRow.chain).distinct()).all()
