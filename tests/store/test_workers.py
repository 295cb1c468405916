"""Which delivering processes are alive."""

from __future__ import annotations

from datetime import datetime, timedelta

from fhir_gateway.store import workers
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.workers import Place
from tests.store.conftest import NOW

HERE = Place("machine", 7, "123")


def listed(tx: Transaction) -> dict[str, datetime]:
    return {worker.executor_id: worker.beat_at for worker in workers.others(tx, "nobody")}


def test_who_beats_is_on_the_list_with_its_last_beat(tx: Transaction) -> None:
    later = NOW + timedelta(seconds=40)
    workers.beat(tx, "one", HERE, now=NOW)
    workers.beat(tx, "two", HERE, now=NOW)
    tx.session.flush()
    assert workers.beat(tx, "two", HERE, now=later)
    tx.session.flush()
    assert listed(tx) == {"one": NOW, "two": later}
    assert [w.executor_id for w in workers.others(tx, "one")] == ["two"]
    assert workers.others(tx, "two")[0].place == HERE
    assert workers.count(tx, NOW + timedelta(seconds=10)) == 1


def test_one_at_a_time_takes_over_and_who_comes_back_is_told(tx: Transaction) -> None:
    workers.beat(tx, "one", HERE, now=NOW)
    tx.session.flush()
    later = NOW + timedelta(seconds=40)
    assert workers.claim(tx, "one", "two", claimed_before=NOW, now=later)
    assert not workers.claim(tx, "one", "three", claimed_before=NOW, now=later)
    tx.session.expire_all()
    assert not workers.beat(tx, "one", HERE, now=later)
    assert workers.beat(tx, "one", HERE, now=later)


def test_who_left_is_forgotten(tx: Transaction) -> None:
    workers.beat(tx, "one", HERE, now=NOW)
    tx.session.flush()
    workers.remove(tx, "one")
    workers.remove(tx, "never-there")
    assert listed(tx) == {}
