"""At the start of a process: shows in the FHIR API what is published, then, in a thread, requests
that are not shown as they are (of releases before the API, or of a process that was killed)."""

from __future__ import annotations

import threading

import structlog
from sqlalchemy.exc import DBAPIError

from fhir_gateway.delivery.parts import Parts
from fhir_gateway.delivery.showing import catch_up, show_what_is_published

#: Seconds between looks for requests that are not shown.
EVERY = 300.0
_log = structlog.get_logger("showing")


class CatchingUp:
    """The thread, between `start` and `stop`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="showing", daemon=True)

    def start(self) -> None:
        """Show what is published, and begin to catch up."""
        parts = self._parts
        show_what_is_published(parts.database, parts.catalogue, now=parts.clock())
        self._thread.start()

    def stop(self) -> None:
        """Stop after the request in hand."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                for shown in catch_up(self._parts, at_once=20):
                    _log.info("caught up", requests=shown)
                    if self._stopped.is_set():
                        return
            except DBAPIError as error:
                _log.error("not caught up", error=type(error).__name__)
            self._stopped.wait(EVERY)
