"""Limits on texts and tries, counted in the database so that all processes share them.

Texts cost money and can be used to pester somebody; codes can be guessed. Numbers and addresses
are counted under keyed hashes, never as themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fhir_gateway.store import counters
from fhir_gateway.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` within each window of `window`."""

    name: str
    count: int
    window: timedelta


#: Networks block more than 20 identical or 100 texts an hour to one number (GOV.UK Notify); these
#: stay far below, and below what guessing six digits would need (OWASP ASVS 6.6.3).
CODES_PER_DRAFT = Limit("codes-draft", 3, timedelta(minutes=30))
CODES_PER_NUMBER = Limit("codes-number", 6, timedelta(hours=1))
TEXTS_PER_NUMBER = Limit("texts-number", 20, timedelta(days=1))
CODES_PER_ADDRESS = Limit("codes-address", 30, timedelta(hours=1))


def admit(tx: Transaction, limits: Sequence[tuple[Limit, str]], *, now: datetime) -> Limit | None:
    """Count one more under each limit and subject; the first limit that is exceeded, or None.

    `limits`: pairs of limit and subject (an id or address; kept as a keyed hash).
    """
    exceeded = None
    for limit, subject in limits:
        key = f"limit:{limit.name}:{tx.sealer.mac('limit', limit.name, subject)}"
        if counters.add(tx, key, limit.window, now=now) > limit.count:
            exceeded = exceeded or limit
    return exceeded
