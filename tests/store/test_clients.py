"""Clients, tokens and used assertions in both databases (tests/rest/test_token.py has the rest)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, text

from fhir_gateway.store import clients
from fhir_gateway.store.access_tables import AccessTokenRow, UsedAssertionRow
from fhir_gateway.store.clients import Client
from fhir_gateway.store.database import Database, Transaction

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def added(tx: Transaction, name: str = "portal") -> Client:
    return clients.add(
        tx, name, providers=["RB2", "RA1"], scopes="system/Task.r", jwks="{}", now=NOON
    )


def test_a_client_is_as_it_was_registered(either: Database) -> None:
    with either.transaction() as tx:
        client = added(tx)
    with either.transaction() as tx:
        assert clients.find(tx, client.id) == client
        assert clients.named(tx, "portal") == clients.named(tx, client.id) == [client]
        assert client.providers == {"RA1", "RB2"}
        assert clients.find(tx, "nobody") is None


def test_only_a_hash_of_a_token_is_kept_and_old_ones_are_forgotten(either: Database) -> None:
    with either.transaction() as tx:
        client = added(tx)
        old = clients.issue(tx, client.id, "system/Task.r", expires_at=NOON + MINUTE, now=NOON)
        assert clients.of_token(tx, old, now=NOON) is not None
        assert clients.of_token(tx, old, now=NOON + MINUTE) is None
        assert clients.of_token(tx, old + "x", now=NOON) is None
        later = NOON + 2 * MINUTE
        clients.issue(tx, client.id, "system/Task.r", expires_at=later + MINUTE, now=later)
        assert tx.session.scalar(select(func.count()).select_from(AccessTokenRow)) == 1
    with either.engine.connect() as connection:
        rows = str(connection.execute(text("SELECT * FROM access_token")).all())
    assert old not in rows


def test_revoking_takes_the_tokens_with_it(either: Database) -> None:
    with either.transaction() as tx:
        one, other = added(tx), added(tx, "other")
        ends = NOON + MINUTE
        mine = clients.issue(tx, one.id, "system/Task.r", expires_at=ends, now=NOON)
        theirs = clients.issue(tx, other.id, "system/Task.r", expires_at=ends, now=NOON)
        assert clients.revoke(tx, one.id, now=NOON)
        assert clients.of_token(tx, mine, now=NOON) is None
        assert clients.of_token(tx, theirs, now=NOON) is not None
        # One that was being issued at that moment opens nothing either.
        late = clients.issue(tx, one.id, "system/Task.r", expires_at=ends, now=NOON)
        assert clients.of_token(tx, late, now=NOON) is None
        assert not clients.revoke(tx, "nobody", now=NOON)


def test_a_used_assertion_is_remembered_until_it_has_ended_for_every_clock(
    either: Database,
) -> None:
    ends = NOON + MINUTE

    def use(moment: datetime, client_id: str = "a") -> bool:
        with either.transaction() as tx:
            return clients.use_assertion(tx, client_id, "jti", ends=ends, now=moment)

    assert use(NOON)
    assert not use(NOON)
    assert use(NOON, "b")
    assert not use(ends + timedelta(seconds=59))
    assert use(ends + timedelta(seconds=61))
    with either.transaction() as tx:
        assert tx.session.scalar(select(func.count()).select_from(UsedAssertionRow)) == 1
