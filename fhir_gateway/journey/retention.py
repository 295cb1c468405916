"""What goes by itself: drafts that their writers left.

The landing page promises it: what was typed is deleted after two hours, unless it was saved for
later (saving.py).
"""

from __future__ import annotations

from datetime import datetime

from fhir_gateway.journey import sessions
from fhir_gateway.store import drafts
from fhir_gateway.store.database import Transaction


def forget_left_drafts(tx: Transaction, *, now: datetime) -> int:
    """Empty the open drafts whose session must be over; how many there were."""
    return drafts.close_idle(tx, now - sessions.ABSOLUTE, now=now)
