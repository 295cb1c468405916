"""Partial progress of an EPR adapter, kept in the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from fhir_gateway.epr.adapter import Landed
from fhir_gateway.store import epr_parts
from fhir_gateway.store.database import Database


class StoredProgress:
    """A Progress (epr/progress.py), each call one transaction."""

    def __init__(
        self, database: Database, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._clock = clock

    def load(self, request_id: str) -> Mapping[str, Landed | None]:
        """See Progress."""
        with self._database.reading() as tx:
            parts = epr_parts.of_request(tx, request_id)
        return {
            part.full_url: Landed(part.reference, part.version) if part.reference else None
            for part in parts
        }

    def intend(self, request_id: str, full_url: str) -> None:
        """See Progress."""
        with self._database.transaction() as tx:
            epr_parts.intend(tx, request_id, full_url, now=self._clock())

    def keep(self, request_id: str, full_url: str, landed: Landed) -> None:
        """See Progress."""
        with self._database.transaction() as tx:
            epr_parts.keep(
                tx, request_id, full_url, landed.reference, landed.version, now=self._clock()
            )

    def withdraw(self, request_id: str, full_url: str) -> None:
        """See Progress."""
        with self._database.transaction() as tx:
            epr_parts.withdraw(tx, request_id, full_url)
