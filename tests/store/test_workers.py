"""Which delivering processes are alive."""

from __future__ import annotations

from datetime import timedelta

from fhir_gateway.store import workers
from fhir_gateway.store.database import Transaction
from tests.store.conftest import NOW


def test_who_beats_is_alive_and_who_stops_is_found(tx: Transaction) -> None:
    workers.beat(tx, "one", now=NOW)
    workers.beat(tx, "two", now=NOW)
    tx.session.flush()
    workers.beat(tx, "two", now=NOW + timedelta(seconds=40))
    tx.session.flush()
    assert workers.silent_since(tx, NOW) == []
    assert workers.silent_since(tx, NOW + timedelta(seconds=10)) == ["one"]


def test_who_left_is_forgotten(tx: Transaction) -> None:
    workers.beat(tx, "one", now=NOW)
    tx.session.flush()
    workers.remove(tx, "one")
    workers.remove(tx, "never-there")
    assert workers.silent_since(tx, NOW + timedelta(days=1)) == []
