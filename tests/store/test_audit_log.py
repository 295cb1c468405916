"""The audit in both databases: chained, sealed, found by what it is about."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from fhir_gateway.store import audit_chain, audit_log
from fhir_gateway.store.audit_log import Entry, Query
from fhir_gateway.store.database import Database
from fhir_gateway.store.seal import Sealer
from tests.databases import KEY

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def entry(name: str, **changes: Any) -> Entry:
    given: dict[str, Any] = {
        "event": {"resourceType": "AuditEvent", "id": name},
        "recorded": NOON,
        "type": "rest",
        "subtype": "read",
        "action": "R",
        "outcome": "0",
        "agent": "client-1",
        "references": frozenset({"Task/1"}),
        "providers": frozenset({"RA1"}),
        **changes,
    }
    return Entry(**given)


def fill(database: Database, count: int) -> None:
    for number in range(count):
        with database.transaction() as tx:
            moment = NOON + timedelta(seconds=number)
            audit_log.append(tx, entry(f"e{number:02}", recorded=moment))


def problems(database: Database, **given: Any) -> list[str]:
    with database.transaction() as tx:
        return audit_chain.check(tx, **given).problems


def run(database: Database, statement: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(statement))


def test_what_was_added_is_whole_also_by_many_at_once(either: Database) -> None:
    def add(number: int) -> None:
        with either.transaction() as tx:
            audit_log.append(tx, entry(f"a{number}"))
            audit_log.append(tx, entry(f"b{number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(24)))
    with either.transaction() as tx:
        checked = audit_chain.check(tx)
    assert (checked.events, checked.problems) == (48, [])


def test_a_transaction_that_is_rolled_back_leaves_no_gap(either: Database) -> None:
    fill(either, 3)

    def fail() -> None:
        with either.transaction() as tx:
            audit_log.append(tx, entry("lost"))
            raise ZeroDivisionError

    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            fail()
    fill_more = entry("later")
    with either.transaction() as tx:
        audit_log.append(tx, fill_more)
    assert problems(either) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET outcome = '4' WHERE id = 'e05'",
        "UPDATE audit_event SET agent = 'nobody' WHERE id = 'e05'",
        "UPDATE audit_event SET recorded = '2020-01-01 00:00:00' WHERE id = 'e05'",
        "UPDATE audit_event SET event_sealed = (SELECT event_sealed FROM audit_event e "
        "WHERE e.id = 'e04') WHERE id = 'e05'",
        "DELETE FROM audit_key WHERE event_id = 'e05' AND kind = 'entity'",
        "UPDATE audit_key SET value = 'RB2' WHERE event_id = 'e05' AND kind = 'provider'",
        "DELETE FROM audit_key; DELETE FROM audit_event WHERE id = 'e05'",
    ],
)
def test_whatever_is_changed_shows(either: Database, statement: str) -> None:
    fill(either, 12)
    assert problems(either) == []
    for part in statement.split("; "):
        run(either, part)
    assert problems(either) != []


def test_that_the_newest_were_cut_off_shows_by_an_earlier_end(either: Database) -> None:
    fill(either, 6)
    with either.transaction() as tx:
        earlier = audit_chain.check(tx).ends
    chain = max(earlier, key=lambda one: earlier[one].position)
    last = earlier[chain].position
    run(
        either,
        "DELETE FROM audit_key WHERE event_id = (SELECT id FROM audit_event "
        f"WHERE chain = {chain} AND position = {last})",
    )
    run(either, f"DELETE FROM audit_event WHERE chain = {chain} AND position = {last}")
    assert any("does not end" in problem for problem in problems(either))
    # Who also puts the end back needs no key; an earlier end, kept elsewhere, tells.
    run(
        either,
        f"UPDATE audit_chain SET position = {last - 1}, mac = COALESCE((SELECT mac FROM "
        f"audit_event WHERE chain = {chain} AND position = {last - 1}), '') WHERE chain = {chain}",
    )
    assert problems(either) == []
    assert any("no longer" in problem for problem in problems(either, earlier=earlier))


def test_an_event_is_the_last_of_its_transaction(either: Database) -> None:
    """Two that hold each other's rows must not wait for each other's chain as well."""
    with either.transaction() as one:
        audit_log.append(one, entry("one"))
        assert audit_log.count(one, Query()) == 0
    with either.transaction() as tx:
        assert audit_log.count(tx, Query()) == 1


def test_events_are_found_by_everything_and_by_nobody_else(either: Database) -> None:
    with either.transaction() as tx:
        audit_log.append(tx, entry("a"))
        audit_log.append(tx, entry("b", providers=frozenset({"RB2"}), subtype="search-type"))
        audit_log.append(tx, entry("c", providers=frozenset(), agent="ada@ward"))
    with either.transaction() as tx:

        def ids(**query: Any) -> list[str]:
            return [event["id"] for event in audit_log.search(tx, Query(**query), limit=10)]

        assert ids() == ["c", "b", "a"]
        assert ids(providers=frozenset({"RA1"})) == ["a"]
        assert ids(providers=frozenset()) == []
        assert ids(subtypes=["search-type"]) == ["b"]
        assert ids(agent="ada@ward") == ["c"]
        assert ids(reference="Task/1") == ["c", "b", "a"]
        assert ids(about=(["Task/2"],)) == []
        assert ids(since=NOON, before=NOON + timedelta(seconds=1)) == ["c", "b", "a"]
        assert ids(before=NOON) == []
        assert audit_log.find(tx, "a", frozenset({"RB2"})) is None
        assert audit_log.find(tx, "a", None) == {"resourceType": "AuditEvent", "id": "a"}


def test_after_a_key_was_rotated_old_events_are_found_and_whole(either: Database) -> None:
    fill(either, 3)
    rotated = Database(either.url, Sealer([b"another key that is 32 bytes long, too", KEY]))
    with rotated.transaction() as tx:
        audit_log.append(tx, entry("new"))
    with rotated.transaction() as tx:
        assert len(audit_log.search(tx, Query(reference="Task/1"), limit=10)) == 4
        assert audit_chain.check(tx).problems == []
    rotated.close()
