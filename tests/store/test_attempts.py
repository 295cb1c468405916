"""Attempts to send: what is known of them and what is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from fhir_gateway.store import attempts
from fhir_gateway.store.database import Transaction
from tests.store.conftest import NOW


def test_an_attempt_is_open_until_it_is_resolved(
    tx: Transaction, accepted: Callable[..., str]
) -> None:
    request_id = accepted()
    attempt_id = attempts.open_attempt(tx, request_id, "epr:x", now=NOW)
    assert [a.id for a in attempts.unresolved(tx, request_id)] == [attempt_id]
    attempts.resolve(tx, attempt_id, "delivered", now=NOW + timedelta(seconds=2))
    assert attempts.unresolved(tx, request_id) == []
    (kept,) = attempts.history(tx, request_id)
    assert (kept.sent_at, kept.resolved_at, kept.outcome) == (
        NOW,
        NOW + timedelta(seconds=2),
        "delivered",
    )


def test_attempts_are_listed_oldest_first_and_only_of_their_request(
    tx: Transaction, accepted: Callable[..., str]
) -> None:
    mine, other = accepted(1), accepted(2)
    later = attempts.open_attempt(tx, mine, "epr:x", now=NOW + timedelta(minutes=5))
    earlier = attempts.open_attempt(tx, mine, "epr:x", now=NOW)
    attempts.open_attempt(tx, other, "epr:x", now=NOW)
    assert [a.id for a in attempts.history(tx, mine)] == [earlier, later]
    assert [a.id for a in attempts.unresolved(tx, mine)] == [earlier, later]


def test_an_outcome_that_is_too_long_is_cut(tx: Transaction, accepted: Callable[..., str]) -> None:
    request_id = accepted()
    attempt_id = attempts.open_attempt(tx, request_id, "epr:x", now=NOW)
    attempts.resolve(tx, attempt_id, "x" * 500, now=NOW)
    assert attempts.history(tx, request_id)[0].outcome == "x" * 80


def test_only_young_attempts_without_an_outcome_are_under_way(
    tx: Transaction, accepted: Callable[..., str]
) -> None:
    request_id = accepted()
    attempt_id = attempts.open_attempt(tx, request_id, "epr:x", now=NOW)
    assert attempts.under_way(tx, "epr:x", NOW - timedelta(seconds=1)) == 1
    assert attempts.under_way(tx, "epr:y", NOW - timedelta(seconds=1)) == 0
    assert attempts.under_way(tx, "epr:x", NOW + timedelta(seconds=1)) == 0
    assert attempts.renew(tx, attempt_id, now=NOW + timedelta(seconds=2))
    assert attempts.under_way(tx, "epr:x", NOW + timedelta(seconds=1)) == 1
    attempts.resolve(tx, attempt_id, "delivered", now=NOW)
    # What somebody has closed must not leave any more.
    assert not attempts.renew(tx, attempt_id, now=NOW)
    assert attempts.outcomes(tx) == {("epr:x", "delivered"): 1}
