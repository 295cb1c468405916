"""Clients of the FHIR API, the tokens they were given, and the assertions they have used up."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from fhir_gateway.store.access_tables import AccessTokenRow, ClientRow, UsedAssertionRow
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.seal import token_hash

#: For processes whose clock is behind that of the one that forgets.
_KEPT_ON = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Client:
    """A system that may ask for tokens. `providers`: ODS codes; `jwks`: public keys as JSON."""

    id: str
    name: str
    providers: frozenset[str]
    admin: bool
    scopes: str
    jwks: str | None
    jwks_url: str | None
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Issued:
    """A token that is good now: whose it is, and for what."""

    client: Client
    scopes: str


def add(
    tx: Transaction,
    name: str,
    *,
    providers: Iterable[str],
    scopes: str,
    admin: bool = False,
    jwks: str | None = None,
    jwks_url: str | None = None,
    now: datetime,
) -> Client:
    """Register a client."""
    row = ClientRow(
        id=str(uuid.uuid4()),
        name=name[:120],
        providers=" ".join(sorted(providers)),
        admin=admin,
        scopes=scopes,
        jwks=jwks,
        jwks_url=jwks_url,
        created_at=now,
    )
    tx.session.add(row)
    tx.session.flush()
    return _client(row)


def find(tx: Transaction, client_id: str) -> Client | None:
    """A client by its id, revoked ones too."""
    row = tx.session.get(ClientRow, client_id)
    return _client(row) if row else None


def named(tx: Transaction, name: str) -> list[Client]:
    """The clients with this id or this name, the newest first."""
    query = select(ClientRow).where(or_(ClientRow.id == name, ClientRow.name == name))
    return [_client(r) for r in tx.session.scalars(query.order_by(ClientRow.created_at.desc()))]


def listed(tx: Transaction) -> list[Client]:
    """All clients, in the order of their registration."""
    query = select(ClientRow).order_by(ClientRow.created_at, ClientRow.id)
    return [_client(row) for row in tx.session.scalars(query)]


def revoke(tx: Transaction, client_id: str, *, now: datetime) -> bool:
    """End a client and all its tokens at once; False when it was ended already or never was."""
    done = tx.session.execute(
        update(ClientRow)
        .where(ClientRow.id == client_id, ClientRow.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ClientRow.id)
    ).one_or_none()
    tx.session.execute(delete(AccessTokenRow).where(AccessTokenRow.client_id == client_id))
    return done is not None


def use_assertion(
    tx: Transaction, client_id: str, jti: str, *, ends: datetime, now: datetime
) -> bool:
    """Use an assertion up; False when it was used before, by whatever process. `ends`: from when
    it would not be taken anyway."""
    tx.session.execute(delete(UsedAssertionRow).where(UsedAssertionRow.expires_at < now - _KEPT_ON))
    dialect = tx.session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    added = tx.session.execute(
        insert(UsedAssertionRow)
        .values(jti_hash=token_hash(f"{client_id} {jti}"), expires_at=ends)
        .on_conflict_do_nothing()
        .returning(UsedAssertionRow.jti_hash)
    ).one_or_none()
    return added is not None


def issue(
    tx: Transaction, client_id: str, scopes: str, *, expires_at: datetime, now: datetime
) -> str:
    """A new token of 256 random bits; forgets those that have expired."""
    tx.session.execute(delete(AccessTokenRow).where(AccessTokenRow.expires_at < now))
    token = secrets.token_urlsafe(32)
    tx.session.add(
        AccessTokenRow(
            token_hash=token_hash(token), client_id=client_id, scopes=scopes, expires_at=expires_at
        )
    )
    tx.session.flush()
    return token


def of_token(tx: Transaction, token: str, *, now: datetime) -> Issued | None:
    """What a token stands for; None when it is unknown, has expired or its client was revoked."""
    found = tx.session.execute(
        select(AccessTokenRow, ClientRow)
        .join(ClientRow, ClientRow.id == AccessTokenRow.client_id)
        .where(
            AccessTokenRow.token_hash == token_hash(token),
            AccessTokenRow.expires_at > now,
            ClientRow.revoked_at.is_(None),
        )
    ).one_or_none()
    return Issued(_client(found[1]), found[0].scopes) if found else None


def _client(row: ClientRow) -> Client:
    return Client(
        row.id,
        row.name,
        frozenset(row.providers.split()),
        row.admin,
        row.scopes,
        row.jwks,
        row.jwks_url,
        row.created_at,
        row.revoked_at,
    )
