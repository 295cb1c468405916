"""Counting within windows of time."""

from __future__ import annotations

from datetime import timedelta

from fhir_gateway.store import counters
from fhir_gateway.store.database import Transaction
from tests.store.conftest import NOW

HOUR = timedelta(hours=1)


def test_counts_add_up_within_a_window(tx: Transaction) -> None:
    assert [counters.add(tx, "a", HOUR, now=NOW) for _ in range(3)] == [1, 2, 3]
    assert counters.current(tx, "a", HOUR, now=NOW + timedelta(minutes=29)) == 3


def test_a_new_window_begins_at_nothing(tx: Transaction) -> None:
    counters.add(tx, "a", HOUR, now=NOW)
    assert counters.current(tx, "a", HOUR, now=NOW + HOUR) == 0
    assert counters.add(tx, "a", HOUR, now=NOW + HOUR) == 1


def test_keys_are_counted_apart(tx: Transaction) -> None:
    counters.add(tx, "a", HOUR, now=NOW)
    assert counters.add(tx, "b", HOUR, now=NOW) == 1


def test_totals_are_over_all_windows_of_keys_with_the_prefix(tx: Transaction) -> None:
    for hours in (0, 5, 30):
        counters.add(tx, "stop:rheumatology:x", HOUR, now=NOW + timedelta(hours=hours))
    counters.add(tx, "stop:cardiology:x", HOUR, now=NOW)
    counters.add(tx, "limit:codes:x", HOUR, now=NOW)
    assert counters.total(tx, "stop:") == {"stop:cardiology:x": 1, "stop:rheumatology:x": 3}
    assert counters.total(tx, "stop:rheumatology:") == {"stop:rheumatology:x": 3}


def test_a_prefix_is_text_and_not_a_pattern(tx: Transaction) -> None:
    counters.add(tx, "stop:a", HOUR, now=NOW)
    assert counters.total(tx, "st_p:") == {}
    assert counters.total(tx, "%") == {}


def test_old_windows_are_forgotten(tx: Transaction) -> None:
    counters.add(tx, "limit:a", HOUR, now=NOW)
    counters.add(tx, "limit:a", HOUR, now=NOW + 2 * HOUR)
    counters.add(tx, "stop:a", HOUR, now=NOW)
    counters.forget(tx, "limit:", NOW + HOUR)
    assert counters.total(tx, "") == {"limit:a": 1, "stop:a": 1}
