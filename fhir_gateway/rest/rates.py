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
    if _add(tx, kind, who, now) > limit:
        raise Problem(
            TOO_MANY,
            "throttled",
            f"More than {limit} calls in a minute. Wait for {RETRY_AFTER} seconds or longer.",
            headers={"Retry-After": str(RETRY_AFTER)},
        )


def is_first(tx: Transaction, kind: str, who: str, *, now: datetime) -> bool:
    """Whether this is the first of its kind in a minute."""
    return _add(tx, kind, who, now) == 1


def _add(tx: Transaction, kind: str, who: str, now: datetime) -> int:
    """One more; how many within a minute. Whoever comes anew takes away what is long past."""
    key = f"{_PREFIX}{kind}:{tx.sealer.mac('api-rate', who)}"
    found = windows.add(tx, key, WINDOW, now=now)
    if found == 1:
        counters.forget(tx, _PREFIX, now - 3 * WINDOW)
    return found
