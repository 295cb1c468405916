"""How long a browser's session lasts (docs/decisions/0005; OWASP session management, ASVS 7.3).

After IDLE without a request the session locks: the answers stay, and who gave a date of birth (or
another item marked questionnaire-unlocks) must give it again to go on. After ABSOLUTE it is over.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from fhir_gateway.store.visits import Visit

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=2)
MAX_UNLOCK_TRIES = 5


class SessionState(StrEnum):
    """What a session is good for."""

    ACTIVE = "active"
    LOCKED = "locked"
    OVER = "over"


def state(visit: Visit, now: datetime) -> SessionState:
    """The state of a session at this moment."""
    if now - visit.started_at >= ABSOLUTE:
        return SessionState.OVER
    if now - visit.seen_at >= IDLE:
        return SessionState.LOCKED
    return SessionState.ACTIVE
