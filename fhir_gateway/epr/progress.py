"""What is kept while a request is sent one resource at a time, so that a retry goes on where the
last try stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from fhir_gateway.epr.adapter import Landed


class Progress(Protocol):
    """Kept outside of this process. Each call is committed when it returns."""

    def load(self, request_id: str) -> Mapping[str, Landed | None]:
        """What is known of each part by its fullUrl: what it became, or None when it was about to
        be sent and nobody knows whether it arrived."""

    def intend(self, request_id: str, full_url: str) -> None:
        """A part is about to be sent."""

    def keep(self, request_id: str, full_url: str, landed: Landed) -> None:
        """A part has arrived."""

    def withdraw(self, request_id: str, full_url: str) -> None:
        """A part was not taken for certain."""


class MemoryProgress:
    """A Progress that ends with the process: for trying an EPR out, and for tests."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Landed | None]] = {}

    def load(self, request_id: str) -> Mapping[str, Landed | None]:
        """See Progress."""
        return dict(self._known.get(request_id, {}))

    def intend(self, request_id: str, full_url: str) -> None:
        """See Progress."""
        self._known.setdefault(request_id, {}).setdefault(full_url, None)

    def keep(self, request_id: str, full_url: str, landed: Landed) -> None:
        """See Progress."""
        self._known.setdefault(request_id, {})[full_url] = landed

    def withdraw(self, request_id: str, full_url: str) -> None:
        """See Progress."""
        self._known.get(request_id, {}).pop(full_url, None)
