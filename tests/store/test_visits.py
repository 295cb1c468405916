"""Browsers' sessions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from fhir_gateway.store import visits
from fhir_gateway.store.database import Transaction
from tests.store.conftest import NOW


def test_a_session_is_found_by_its_token_alone(tx: Transaction) -> None:
    begun = visits.begin(tx, "cookie", now=NOW)
    assert visits.find(tx, "cookie") == begun
    assert visits.find(tx, "another") is None
    assert visits.find(tx, begun.id) is None


def test_the_token_is_not_kept(tx: Transaction) -> None:
    visits.begin(tx, "a-secret-cookie", now=NOW)
    row = tx.session.execute(text("SELECT * FROM visit")).one()
    assert "a-secret-cookie" not in " ".join(map(str, row))


def test_it_is_noted_when_the_browser_was_seen(tx: Transaction) -> None:
    begun = visits.begin(tx, "cookie", now=NOW)
    visits.touch(tx, begun.id, now=NOW + timedelta(minutes=5))
    tx.session.expire_all()
    found = visits.find(tx, "cookie")
    assert found is not None
    assert (found.started_at, found.seen_at) == (NOW, NOW + timedelta(minutes=5))


@pytest.mark.hazard("H03")
def test_the_old_token_is_dead_once_there_is_a_new_one(tx: Transaction) -> None:
    begun = visits.begin(tx, "old", now=NOW)
    visits.rotate(tx, begun.id, "new")
    tx.session.expire_all()
    assert visits.find(tx, "old") is None
    found = visits.find(tx, "new")
    assert found is not None
    assert found.id == begun.id


def test_an_ended_session_is_worth_nothing(tx: Transaction) -> None:
    begun = visits.begin(tx, "cookie", now=NOW)
    visits.end(tx, begun.id, now=NOW)
    assert visits.find(tx, "cookie") is None
