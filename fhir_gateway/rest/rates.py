"""How often somebody may call within a minute, counted for all processes together."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from fhir_gateway.rest.problem import TOO_MANY, Problem
from fhir_gateway.store import counters, windows
from fhir_gateway.store.database import Transaction

WINDOW = timedelta(minutes=1)
_PREFIX = "api:"
#: Seconds until room is there again, at the earliest.
RETRY_AFTER = math.ceil(WINDOW.total_seconds() / windows.SLICES)


def count(tx: Transaction, kind: str, who: str, limit: int, *, now: datetime) -> None:
    """Count one call. Raises Problem (429): then the transaction must be rolled back, so that what
    is refused is not counted and waiting helps. `who`: an id, or an address, of which a hash is
    kept."""
    key = f"{_PREFIX}{kind}:{tx.sealer.mac('api-rate', who)}"
    if windows.add(tx, key, WINDOW, now=now) > limit:
        raise Problem(
            TOO_MANY,
            "throttled",
            f"More than {limit} calls in a minute. Wait for {RETRY_AFTER} seconds or longer.",
            headers={"Retry-After": str(RETRY_AFTER)},
        )


def is_first(tx: Transaction, kind: str, who: str, *, now: datetime) -> bool:
    """Whether this is the first of its kind in a minute; forgets what is long past."""
    key = f"{_PREFIX}{kind}:{tx.sealer.mac('api-rate', who)}"
    counters.forget(tx, _PREFIX, now - 3 * WINDOW)
    return windows.add(tx, key, WINDOW, now=now) == 1
