from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fhir_gateway.store import windows
from fhir_gateway.store.database import Database

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)


def add(either: Database, minutes: float) -> int:
    with either.transaction() as tx:
        return windows.add(tx, "k", HALF_HOUR, now=NOON + timedelta(minutes=minutes))


def test_what_lies_within_the_window_counts(either: Database) -> None:
    assert [add(either, m) for m in (0, 5, 29)] == [1, 2, 3]


def test_the_end_of_the_clock_s_half_hour_gives_nothing_away(either: Database) -> None:
    """A fixed window would begin anew at 12:30."""
    assert [add(either, m) for m in (27, 28, 29)] == [1, 2, 3]
    assert [add(either, m) for m in (31, 33)] == [4, 5]


def test_what_is_older_does_not(either: Database) -> None:
    add(either, 0)
    assert add(either, 33.1) == 1
