"""The watch of a delivering process: its beat, work that dead processes left, and requests that
were accepted and that nothing is working on.

Our own tables are asked, not the engine's opinion of itself: what was accepted and is not delivered
is enqueued again, whatever lost it.
"""

from __future__ import annotations

import threading
from datetime import timedelta

import structlog

from fhir_gateway.delivery.engine import DbosEngine
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.journey import retention
from fhir_gateway.store import requests, workers
from fhir_gateway.store.requests import RequestState

BEAT = timedelta(seconds=5)
#: A process that was silent for so long is taken for gone.
SILENCE = timedelta(seconds=30)
RECONCILE = timedelta(minutes=5)
#: How long a request may stay without any workflow of its own.
STALE = timedelta(minutes=15)
UNDELIVERED = (RequestState.ACCEPTED, RequestState.TRACED, RequestState.MAPPED)

_log = structlog.get_logger("delivery")


class Watch:
    """Runs in a thread of its own until `stop`."""

    def __init__(self, parts: Parts, engine: DbosEngine, executor_id: str) -> None:
        self._parts = parts
        self._engine = engine
        self._executor_id = executor_id
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="delivery-watch", daemon=True)
        self._last_reconcile = parts.clock()

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and take this process off the list: it left in order."""
        self._stopping.set()
        self._thread.join(timeout=10)
        with self._parts.database.transaction() as tx:
            workers.remove(tx, self._executor_id)

    def _run(self) -> None:
        while True:
            try:
                self.round()
            except Exception as error:
                _log.error("watch failed", error=type(error).__name__)
            if self._stopping.wait(BEAT.total_seconds()):
                return

    def round(self) -> None:
        """One round: beat, take over from the silent, and now and then reconcile."""
        now = self._parts.clock()
        with self._parts.database.transaction() as tx:
            workers.beat(tx, self._executor_id, now=now)
            silent = workers.silent_since(tx, now - SILENCE)
        for executor_id in silent:
            taken = self._engine.take_over(executor_id)
            with self._parts.database.transaction() as tx:
                workers.remove(tx, executor_id)
            _log.warning("took over from a silent worker", worker=executor_id, taken=taken)
        if now - self._last_reconcile >= RECONCILE:
            self._last_reconcile = now
            self.reconcile()
            self.forget()

    def forget(self) -> None:
        """Delete what was typed and never sent."""
        with self._parts.database.transaction() as tx:
            left = retention.forget_left_drafts(tx, now=self._parts.clock())
        if left:
            _log.info("left drafts forgotten", count=left)

    def reconcile(self) -> int:
        """Enqueue again what was accepted and that nothing works on; how many requests."""
        now = self._parts.clock()
        with self._parts.database.transaction() as tx:
            stale = requests.in_states(tx, UNDELIVERED, updated_before=now - STALE)
        orphans = [request for request in stale if not self._engine.is_live(request.id)]
        for orphan in orphans:
            with self._parts.database.transaction() as tx:
                requests.note(tx, orphan.id, "requeued", now=now)
                suffix = f".requeued-{int(now.timestamp())}"
                self._engine.enqueue(tx, orphan.id, orphan.service_slug, suffix)
        return len(orphans)
