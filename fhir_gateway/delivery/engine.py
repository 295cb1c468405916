"""The durable workflow of a request: trace, map, send, confirm. The only file that knows DBOS.

Each step says how it went: done, wait so long and try again, or a person is needed. A process that
is killed goes on where it was, as a step that is done does nothing again; only ids are kept in the
engine. Our own tables are the truth, this is the clock that drives them (docs/decisions/0006).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer, EnqueueOptions
from sqlalchemy import Engine as Engine_
from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url

from fhir_gateway.store.database import BUSY_TIMEOUT_MS, Database, Transaction

APPLICATION = "fhir-gateway"
#: Never the version of the code: work in progress must survive an upgrade. Change the workflow
#: with DBOS.patch() only.
WORKFLOW_VERSION = "1"
WORKFLOW = "deliver"
QUEUE = "delivery"
#: How many requests of one service, and of all, one process has under way at once. These are limits
#: of a process on purpose: what a dead one had in hand must not use up a limit that all share. What
#: an EPR can take is kept by the gate, across processes. What waits is not under way, and more
#: threads than this compute less: on PostgreSQL 24 of a service took half as long again a request.
PER_SERVICE = 8
PER_PROCESS = 32
POLL_SECONDS = 0.3
STEPS = ("trace", "map", "send", "confirm")

#: What a step answers: None is done; a number is seconds to wait before the next try.
Wait = float | None
#: A step: request id and number of the try, from 0.
StepFunction = Callable[[str, int], Wait]
_LIVE = ("PENDING", "ENQUEUED", "DELAYED")
_ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
#: A workflow's id begins with the request's, a UUID.
_ID_LENGTH = 36

#: The wait that says that a person must look; the workflow ends here.
GIVE_UP = -1.0


class Engine(Protocol):
    """What accepting a request needs of the engine."""

    def enqueue(self, tx: Transaction, request_id: str, service_slug: str, suffix: str) -> None:
        """Have a request delivered once `tx` commits, never when it rolls back. The same id and
        suffix twice is one piece of work."""


class DbosEngine:
    """Enqueues within the caller's transaction; after `work` this process delivers as well."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._client: DBOSClient | None = None
        logging.getLogger("dbos").setLevel(logging.WARNING)

    def migrate(self) -> None:
        """Bring the engine's own tables up to date; safe when several processes start at once."""
        DBOS.migrate(_url(self._database))

    def enqueue(self, tx: Transaction, request_id: str, service_slug: str, suffix: str) -> None:
        """See Engine."""
        if self._client is None:
            self._client = DBOSClient(
                system_database_engine=self._database.engine,
                serializer=DBOSPortableJSONSerializer(),
                application_name=APPLICATION,
                lazy=True,
            )
        options = _options(f"{request_id}{suffix}", service_slug)
        self._client.enqueue_in_transaction(tx.session, options, request_id, service_slug, 0, 0)

    def work(self, steps: Mapping[str, StepFunction], executor_id: str) -> None:
        """Deliver in this process until `stop`.

        `executor_id`: never used before; what this process leaves behind when it is killed is for
        the watch of another, or of its successor, to take over.
        """
        _steps.update(steps)
        DBOS(
            config={
                "name": APPLICATION,
                "system_database_url": _url(self._database),
                "system_database_engine": _notebook(self._database),
                "application_version": WORKFLOW_VERSION,
                "executor_id": executor_id,
                "serializer": DBOSPortableJSONSerializer(),
                "use_listen_notify": False,
                "run_migrations": False,
                "log_level": "WARNING",
            }
        )
        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            worker_concurrency=PER_PROCESS,
            partition_worker_concurrency=PER_SERVICE,
            polling_interval_sec=POLL_SECONDS,
        )

    def take_over(self, executor_id: str) -> int:
        """Go on with what a process that is gone left behind; how many pieces of work. Open-source
        DBOS only does that for its own executor id. Only one process may do this for one id."""
        left = DBOS.list_workflows(
            status="PENDING", executor_id=executor_id, load_input=False, load_output=False
        )
        DBOS.resume_workflows([workflow.workflow_id for workflow in left], queue_name=QUEUE)
        return len(left)

    def retake(self, executor_id: str, after: float) -> int:
        """Go on with what the engine notes as under way in this process, and is not, since more
        than `after` seconds; how many pieces.

        When a database crashes right after a claim was committed, the engine never hears of it, and
        nobody else may touch the work of a process that lives.
        """
        ours = DBOS.list_workflows(
            status="PENDING", executor_id=executor_id, load_input=False, load_output=False
        )
        before = (time.time() - after) * 1000
        lost = [
            workflow.workflow_id
            for workflow in ours
            if workflow.workflow_id not in _running
            and max(workflow.updated_at or 0, workflow.dequeued_at or 0) < before
        ]
        if lost:
            DBOS.resume_workflows(lost, queue_name=QUEUE)
        return len(lost)

    def executors(self) -> set[str]:
        """The executor ids of all processes that have, or had, work in hand."""
        found = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        return {workflow.executor_id for workflow in found if workflow.executor_id}

    def live(self) -> set[str]:
        """The ids of all requests of which some workflow is under way or waiting."""
        found = DBOS.list_workflows(status=list(_LIVE), load_input=False, load_output=False)
        return {workflow.workflow_id[:_ID_LENGTH] for workflow in found}

    def forget(self, before: datetime, limit: int = 1000) -> int:
        """Delete the engine's own notes of work that ended before a moment; how many pieces. What
        became of the requests is in our own tables."""
        done = DBOS.list_workflows(
            status=list(_ENDED),
            end_time=before.isoformat(),
            limit=limit,
            load_input=False,
            load_output=False,
        )
        if done:
            DBOS.delete_workflows([workflow.workflow_id for workflow in done])
        return len(done)

    def stop(self) -> None:
        """Stop delivering; what is under way is taken up at the next start."""
        DBOS.destroy()
        _steps.clear()


#: The steps of this process. DBOS looks workflows up by name in the module that declares them, so
#: they cannot be handed over as arguments; ids only travel through its tables.
_steps: dict[str, StepFunction] = {}
#: The ids of the workflows that run in this process. Adding and discarding are atomic.
_running: set[str] = set()


@DBOS.step(name="step")
def _run_step(name: str, request_id: str, tries: int) -> list[Wait]:
    """Run a step and those after it, until one has to wait: its position and how long; None at the
    end. What they did is in our own tables, and a step that is done does nothing a second time, so
    the engine's note of each would be a write for nothing."""
    position = STEPS.index(name)
    while position < len(STEPS):
        wait = _steps[STEPS[position]](request_id, tries)
        if wait is not None:
            return [position, wait]
        position, tries = position + 1, 0
    return [position, None]


@DBOS.workflow(name=WORKFLOW)
def _deliver(request_id: str, service_slug: str, step: int, tries: int) -> str:
    """Run the steps from `step` on. A step that has to wait ends this workflow and leaves a later
    one, so that a request that waits for hours keeps no thread and no place in the queue."""
    workflow_id = DBOS.workflow_id or request_id
    _running.add(workflow_id)
    try:
        return _run(workflow_id, request_id, service_slug, step, tries)
    finally:
        _running.discard(workflow_id)


def _run(workflow_id: str, request_id: str, service_slug: str, step: int, tries: int) -> str:
    while step < len(STEPS):
        reached, wait = _read_note(_run_step(STEPS[step], request_id, tries), step)
        if reached != step:
            step, tries = reached, 0
        if wait is None:
            continue
        if wait < 0:
            return f"stopped at {STEPS[step]}"
        later = _options(_later_id(workflow_id), service_slug)
        later["delay_seconds"] = wait
        DBOS.enqueue_workflow_with_options(later, request_id, service_slug, step, tries + 1)
        return f"waiting at {STEPS[step]}"
    return "done"


def _read_note(note: Any, step: int) -> tuple[int, Wait]:
    """Which step was reached, and its wait. Notes of release 0.1.0 are of one step alone: work of
    that time may be taken up here."""
    if isinstance(note, list):
        return int(note[0]), note[1]
    return (step + 1 if note is None else step), note


def _later_id(workflow_id: str) -> str:
    """`<id>` is followed by `<id>~1`, that by `<id>~2`: the same each time it is asked."""
    base, _, count = workflow_id.partition("~")
    return f"{base}~{int(count or 0) + 1}"


def _options(workflow_id: str, service_slug: str) -> EnqueueOptions:
    return {
        "workflow_name": WORKFLOW,
        "queue_name": QUEUE,
        "workflow_id": workflow_id,
        "queue_partition_key": service_slug,
        "app_version": WORKFLOW_VERSION,
        "application_name": APPLICATION,
    }


def _notebook(database: Database) -> Engine_ | None:
    """The engine's own connections, as it would make them; on SQLite without a wait for the disk
    (Database.transaction). None: as it makes them."""
    if not database.is_sqlite:
        return None
    notebook = create_engine(database.url)

    @event.listens_for(notebook, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=NORMAL")

    return notebook


def _url(database: Database) -> str:
    """The database for DBOS, which wants PostgreSQL without the name of a driver."""
    if database.is_sqlite:
        return database.url
    url = make_url(database.url).set(drivername="postgresql")
    return url.render_as_string(hide_password=False)
