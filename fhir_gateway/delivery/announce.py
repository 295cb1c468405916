"""Announcing a POST to an EPR: its intent is committed, then and only then it leaves.

The intent takes a place at the gate, and there is never more than one open for a request: whoever
finds one of another process waits until it has settled. What was announced too long ago does not
leave: the process stood still, and another may have taken over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fhir_gateway.delivery import gate
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.epr.fence import Check, Guard
from fhir_gateway.errors import TryLater
from fhir_gateway.store import attempts, gates, requests
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.requests import RequestState

#: An announcement that is younger need not be made again.
_FRESH = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Announced:
    """An open attempt and the guard of its POSTs; or, without one, how long to wait (None: there
    is nothing to send any more)."""

    attempt_id: str | None
    guard: Guard
    wait: float | None = None


def announce(
    parts: Parts,
    request_id: str,
    neighbour: str,
    with_it: Callable[[Transaction], None] = lambda _: None,
    *,
    nhs_number: str = "",
) -> Announced:
    """Commit the intent to send a request now, if it is its turn; `with_it` is done with it.

    `nhs_number`: of a matched patient. While the first request about a patient is on its way to an
    EPR, others wait: each would find no Patient there and create one (docs/decisions/0028).
    """
    limits, timing = parts.limits.of(neighbour), parts.timing
    now = parts.clock()
    with parts.database.transaction() as tx:
        # Held, so that of two processes one sees the attempt of the other.
        if requests.hold(tx, request_id) is not RequestState.MAPPED:
            return Announced(None, _never, None)
        opened = attempts.unresolved(tx, request_id)
        if opened:
            left = (opened[-1].sent_at + timing.settle - now).total_seconds()
            return Announced(None, _never, max(left, 0.5))
        subject_mac = tx.sealer.mac("subject-of-attempt", nhs_number) if nhs_number else ""
        gates.hold(tx, neighbour)
        settling = now - timing.settle
        if subject_mac and attempts.meets_patient_first(tx, neighbour, subject_mac, settling):
            return Announced(None, _never, parts.rng.uniform(0.5, 2.0))
        since = now - timing.freeze - timing.epr_timeout
        busy = attempts.under_way(tx, neighbour, since)
        wait = gate.turn(tx, neighbour, limits, busy, now=now, rng=parts.rng)
        if wait is not None:
            return Announced(None, _never, wait)
        attempt_id = attempts.open_attempt(
            tx, request_id, neighbour, subject_mac=subject_mac, now=now
        )
        with_it(tx)
    return Announced(attempt_id, _guard(parts, attempt_id, now))


def _guard(parts: Parts, attempt_id: str, announced_at: datetime) -> Guard:
    """The first POST was announced with the attempt, unless much was asked of the EPR since; every
    further one is announced anew."""
    fresh = iter([announced_at])

    def guard() -> Check:
        announced = next(fresh, None)
        now = parts.clock()
        if announced is None or now - announced > _FRESH:
            announced = now
            with parts.database.transaction() as tx:
                if not attempts.renew(tx, attempt_id, now=announced):
                    raise TryLater("Another process took this request over.", code="superseded")
        return _fence(parts.clock, announced, parts.timing.freeze.total_seconds())

    return guard


def _fence(clock: Callable[[], datetime], announced: datetime, limit: float) -> Check:
    """Both clocks are asked: a machine that was suspended as a whole may have stopped one."""
    ticks = time.monotonic()

    def check() -> None:
        passed = max((clock() - announced).total_seconds(), time.monotonic() - ticks)
        if passed > limit:
            raise TryLater(f"Announced {passed:.0f} s ago, so it must not leave.", code="fenced")

    return check


def _never() -> Check:
    raise TryLater("Nothing was announced.", code="superseded")
