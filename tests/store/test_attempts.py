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
    attempt_id = attempts.open_attempt(tx, request_id, now=NOW)
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
    later = attempts.open_attempt(tx, mine, now=NOW + timedelta(minutes=5))
    earlier = attempts.open_attempt(tx, mine, now=NOW)
    attempts.open_attempt(tx, other, now=NOW)
    assert [a.id for a in attempts.history(tx, mine)] == [earlier, later]
    assert [a.id for a in attempts.unresolved(tx, mine)] == [earlier, later]


def test_an_outcome_that_is_too_long_is_cut(tx: Transaction, accepted: Callable[..., str]) -> None:
    request_id = accepted()
    attempt_id = attempts.open_attempt(tx, request_id, now=NOW)
    attempts.resolve(tx, attempt_id, "x" * 500, now=NOW)
    assert attempts.history(tx, request_id)[0].outcome == "x" * 80
