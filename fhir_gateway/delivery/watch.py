"""The watch of a delivering process: its beat, work that dead processes left, requests that were
accepted and that nothing is working on, and whatever else must be looked after.

Our own tables are asked, not the engine's opinion of itself: what was accepted and is not delivered
is enqueued again, whatever lost it.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import structlog

from fhir_gateway.delivery import processes
from fhir_gateway.delivery.duties import Duties
from fhir_gateway.delivery.engine import DbosEngine
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.journey import retention
from fhir_gateway.store import gates, listing, requests, workers
from fhir_gateway.store.requests import RequestState

UNDELIVERED = (RequestState.ACCEPTED, RequestState.TRACED, RequestState.MAPPED)
#: States in which some workflow has something to do.
UNFINISHED = (*UNDELIVERED, RequestState.DELIVERED)
#: The engine's notes of finished work are kept for so long.
KEEP_NOTES = timedelta(days=14)
#: A process that is seen to run may be silent for so many times longer.
_BUSY_FACTOR = 10
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_PAGE = 500

_log = structlog.get_logger("delivery")


class Watch:
    """Runs in a thread of its own until `stop`. `duties`: done every `look_after` by one of all
    processes."""

    def __init__(self, parts: Parts, engine: DbosEngine, executor_id: str, duties: Duties) -> None:
        self._parts = parts
        self._engine = engine
        self._executor_id = executor_id
        self._duties = duties
        self._place = processes.own_place()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="delivery-watch", daemon=True)

    def enter(self) -> None:
        """Put this process on the list. Before it takes on any work, or another would think that
        the work is nobody's."""
        with self._parts.database.transaction() as tx:
            workers.beat(tx, self._executor_id, self._place, now=self._parts.clock())

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopping.set()
        self._thread.join(timeout=10)

    def leave(self) -> None:
        """This process delivers no more: what it still has in hand is free for others at once."""
        with self._parts.database.transaction() as tx:
            workers.beat(tx, self._executor_id, self._place, now=_LONG_AGO)

    def _run(self) -> None:
        while True:
            for work in (self.round, self.look_after):
                try:
                    work()
                except Exception as error:
                    _log.error("watch failed", step=work.__name__, error=type(error).__name__)
            if self._stopping.wait(self._parts.timing.beat.total_seconds()):
                return

    def round(self) -> None:
        """One round: beat, and take over from those who are gone."""
        now = self._parts.clock()
        with self._parts.database.transaction() as tx:
            alone = workers.beat(tx, self._executor_id, self._place, now=now)
            others = workers.others(tx, self._executor_id)
        if not alone:
            _log.warning("was taken for gone", worker=self._executor_id)
        silence = self._parts.timing.silence
        # What is really under way may take as long as a busy database to be noted as ended.
        lost = self._engine.retake(self._executor_id, 2 * silence.total_seconds())
        if lost:
            _log.warning("took up again what was lost", worker=self._executor_id, taken=lost)
        for other in others:
            # On a machine that is too busy, the beats of the living are late as well.
            busy = processes.is_running(other.place)
            silent = other.beat_at < now - silence * (_BUSY_FACTOR if busy else 1)
            if silent or processes.is_gone(other.place):
                self._take_over(other.executor_id)

    def look_after(self) -> None:
        """What one of all processes does now and then."""
        timing = self._parts.timing
        if self._is_my_turn("look-after", timing.look_after):
            self._adopt_strays()
            self._duties.do(self._parts, self._engine)
        if self._is_my_turn("reconcile", timing.reconcile):
            self.reconcile()
            self.forget()
            while self._engine.forget(self._parts.clock() - KEEP_NOTES):
                pass

    def forget(self) -> None:
        """Delete what was typed and never sent."""
        with self._parts.database.transaction() as tx:
            left = retention.forget_left_drafts(tx, now=self._parts.clock())
        if left:
            _log.info("left drafts forgotten", count=left)

    def reconcile(self) -> int:
        """Enqueue again what was accepted and that nothing works on; how many requests."""
        before = self._parts.clock() - self._parts.timing.stale
        orphans = []
        after = ""
        while True:
            with self._parts.database.transaction() as tx:
                page = listing.unfinished(
                    tx, UNFINISHED, updated_before=before, after=after, limit=_PAGE
                )
            if not page:
                break
            # Asked after the page was read: what was enqueued meanwhile is seen.
            live = self._engine.live()
            orphans += [request for request in page if request.id not in live]
            after = page[-1].id
        for orphan in orphans:
            self._enqueue_again(orphan.id, orphan.service_slug)
        return len(orphans)

    def _enqueue_again(self, request_id: str, service_slug: str) -> None:
        now = self._parts.clock()
        with self._parts.database.transaction() as tx:
            requests.note(tx, request_id, "requeued", now=now)
            self._engine.enqueue(tx, request_id, service_slug, f".requeued-{int(now.timestamp())}")
        _log.warning("requeued", request=request_id)

    def _take_over(self, executor_id: str) -> None:
        now = self._parts.clock()
        stale_claim = now - self._parts.timing.silence
        with self._parts.database.transaction() as tx:
            mine = workers.claim(
                tx, executor_id, self._executor_id, claimed_before=stale_claim, now=now
            )
        if not mine:
            return
        taken = self._engine.take_over(executor_id)
        with self._parts.database.transaction() as tx:
            workers.remove(tx, executor_id)
        _log.warning("took over", worker=executor_id, taken=taken)

    def _adopt_strays(self) -> None:
        """Put processes that have work in hand and are on no list on the list, as silent."""
        # In this order: a process enters the list before it takes on work.
        working = self._engine.executors()
        with self._parts.database.transaction() as tx:
            listed = {other.executor_id for other in workers.others(tx, self._executor_id)}
            for stray in working - listed - {self._executor_id}:
                workers.beat(tx, stray, processes.NOWHERE, now=_LONG_AGO)

    def _is_my_turn(self, duty: str, every: timedelta) -> bool:
        per_minute = 60.0 / every.total_seconds()
        with self._parts.database.transaction() as tx:
            now = self._parts.clock()
            return gates.take_turn(tx, f"{gates.DUTY}{duty}", per_minute, now=now) is None
