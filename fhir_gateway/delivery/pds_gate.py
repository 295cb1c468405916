"""The gate before PDS, kept in the database: it holds across all processes of a gateway.

PDS allows an application 5 requests a second, counted over all that it runs, and more to those who
ask for it; it has the caller back off when it struggles (PDS FHIR API specification, rate limits).
So calls are spaced, and after some failures in a row nobody calls for a while; then one caller
tries.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from fhir_gateway.errors import TryLater
from fhir_gateway.pds.gate import BUSY
from fhir_gateway.store import neighbours
from fhir_gateway.store.database import Database, Transaction

_SECOND = 1_000_000
#: A second: below the 5 that PDS allows, with room for clocks that differ.
PER_SECOND = 4.0
#: Nobody waits longer for their turn; they come back later instead.
LONGEST_WAIT = 2 * _SECOND
FAILURES = 5
PAUSES = [15 * _SECOND, 30 * _SECOND, 60 * _SECOND, 120 * _SECOND, 300 * _SECOND]
#: How long one probe may take before another caller may try.
_PROBE = 30 * _SECOND


class DatabaseGate:
    """Limiter and breaker under one key, such as `pds:https://…:application`. `per_second`: calls
    of all processes together."""

    def __init__(
        self,
        database: Database,
        key: str,
        *,
        per_second: float = PER_SECOND,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._key = key[:120]
        self._spacing = int(_SECOND / per_second)
        self._clock = clock

    def admit(self) -> float:
        """Seconds until the turn that was taken. Raises TryLater."""
        now = self._now()
        with self._database.transaction(redone=True) as tx:
            health = neighbours.health(tx, self._key)
            if health.open_until and not self._may_probe(tx, health, now):
                left = max((health.open_until - now) / _SECOND, 1.0)
                raise TryLater("PDS is given a rest", code="pds-resting", after=left)
            turn = neighbours.take_turn(
                tx, self._key, now=now, spacing=self._spacing, longest=LONGEST_WAIT
            )
        if turn is None:
            wait = LONGEST_WAIT / _SECOND
            raise TryLater("PDS is asked too often just now", code=BUSY, after=wait)
        return max(turn - now, 0) / _SECOND

    def succeeded(self) -> None:
        """Close the breaker; without a write where it was closed and nothing had failed."""
        with self._database.reading() as tx:
            well = neighbours.health(tx, self._key) == neighbours.Health(0, 0)
        if not well:
            with self._database.transaction() as tx:
                neighbours.succeeded(tx, self._key)

    def failed(self) -> None:
        """Count a failure; open the breaker when there were enough."""
        with self._database.transaction() as tx:
            neighbours.failed(tx, self._key, most=FAILURES, now=self._now(), pauses=PAUSES)

    def _may_probe(self, tx: Transaction, health: neighbours.Health, now: int) -> bool:
        if health.open_until > now:
            return False
        return neighbours.take_probe(tx, self._key, now=now, until=now + _PROBE)

    def _now(self) -> int:
        return int(self._clock() * _SECOND)
