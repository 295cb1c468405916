"""Limits on texts and tries, counted in the database so that all processes share them.

Texts cost money and can be used to pester somebody; codes can be guessed. Numbers and addresses
are counted under keyed hashes, never as themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fhir_gateway.store import windows
from fhir_gateway.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` within any `window` of time."""

    name: str
    count: int
    window: timedelta


#: design: 3 codes per 30 minutes for one request (below what guessing needs, ASVS 6.6.3).
CODES_PER_DRAFT = Limit("codes-draft", 3, timedelta(minutes=30))


@dataclass(frozen=True, slots=True)
class TextCaps:
    """Caps that an operator can set: codes to one number an hour, texts to one number a day, codes
    from one network address an hour, codes in all a day, codes through one link an hour.

    Networks block more than 20 identical or 100 texts an hour to one number (GOV.UK Notify). Many
    patients can share one address, as mobile networks put them behind one.
    """

    codes_per_number: int
    texts_per_number: int
    codes_per_address: int
    codes_per_day: int
    codes_per_link: int = 200

    @property
    def number_codes(self) -> Limit:
        """Codes to one number."""
        return Limit("codes-number", self.codes_per_number, timedelta(hours=1))

    @property
    def number_texts(self) -> Limit:
        """Texts of any kind to one number."""
        return Limit("texts-number", self.texts_per_number, timedelta(days=1))

    @property
    def address_codes(self) -> Limit:
        """Codes asked for from one address."""
        return Limit("codes-address", self.codes_per_address, timedelta(hours=1))

    @property
    def link_codes(self) -> Limit:
        """Codes asked for through one link. A link on a poster serves many; one that leaked is
        closed by this until somebody revokes it."""
        return Limit("codes-link", self.codes_per_link, timedelta(hours=1))

    @property
    def all_codes(self) -> Limit:
        """All codes: this bounds the bill."""
        return Limit("codes-all", self.codes_per_day, timedelta(days=1))


def admit(tx: Transaction, limits: Sequence[tuple[Limit, str]], *, now: datetime) -> Limit | None:
    """Count one more under each limit and subject; the first limit that is exceeded, or None.

    Where one is exceeded nothing is counted: asking in vain must not use up what others have left.
    `limits`: pairs of limit and subject (an id or address; kept as a keyed hash).
    """
    attempt = tx.session.begin_nested()
    for limit, subject in limits:
        key = f"limit:{limit.name}:{tx.sealer.mac('limit', limit.name, subject)}"
        if windows.add(tx, key, limit.window, now=now) > limit.count:
            attempt.rollback()
            return limit
    attempt.commit()
    return None
