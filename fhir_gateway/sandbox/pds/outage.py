"""Trouble on request: lets a test or a demonstration see how the gateway lives without PDS.

Not part of the PDS FHIR API; the answers it causes are.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType

from fhir_gateway.sandbox.pds.faults import (
    SERVICE_UNAVAILABLE,
    TOO_MANY_REQUESTS,
    UNABLE_TO_CALL_SERVICE,
    UNKNOWN_ERROR,
    Fault,
    Kind,
)

#: Where an outage is started (PUT) and ended (DELETE) over HTTP.
OUTAGE_PATH = "/outage"
_RETRY_AFTER = 5
#: What can be asked for, by Spine code.
TROUBLES: Mapping[str, Kind] = MappingProxyType(
    {
        kind.code: kind
        for kind in (UNABLE_TO_CALL_SERVICE, TOO_MANY_REQUESTS, UNKNOWN_ERROR, SERVICE_UNAVAILABLE)
    }
)


class Outage:
    """While it lasts, every request is answered with the same error. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kind: Kind | None = None
        self._left: int | None = None

    def start(self, code: str, answers: int | None = None) -> None:
        """Fail the next `answers` requests, or all until `stop`. Raises KeyError for other codes.

        `code`: one of TROUBLES.
        """
        with self._lock:
            self._kind, self._left = TROUBLES[code], answers

    def stop(self) -> None:
        """All is well again."""
        with self._lock:
            self._kind = None

    def check(self) -> None:
        """Raises the Fault that is due, if one is."""
        with self._lock:
            kind = self._kind
            if kind is not None and self._left is not None:
                self._left -= 1
                if self._left <= 0:
                    self._kind = None
        if kind is not None:
            after = _RETRY_AFTER if kind is SERVICE_UNAVAILABLE else None
            raise Fault(kind, "This sandbox was asked to fail.", retry_after=after)
