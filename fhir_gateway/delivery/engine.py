"""The durable workflow of a request: trace, map, send, confirm. The only file that knows DBOS.

Each step says how it went: done, wait so long and try again, or a person is needed. The workflow
keeps what each step answered, so a process that is killed goes on where it was; only ids are kept
there. Our own tables are the truth, this is the clock that drives them (docs/decisions/0006).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer, EnqueueOptions
from sqlalchemy.engine import make_url

from fhir_gateway.store.database import Database, Transaction

APPLICATION = "fhir-gateway"
#: Never the version of the code: work in progress must survive an upgrade. Change the workflow
#: with DBOS.patch() only.
WORKFLOW_VERSION = "1"
WORKFLOW = "deliver"
QUEUE = "delivery"
#: How many requests of one service are under way at once.
PER_SERVICE = 8
POLL_SECONDS = 0.3
STEPS = ("trace", "map", "send", "confirm")

#: What a step answers: None is done; a number is seconds to wait before the next try.
Wait = float | None
#: A step: request id and number of the try, from 0.
StepFunction = Callable[[str, int], Wait]
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

        `executor_id`: unique and stable per process; what it leaves behind when it is killed is
        taken up when it starts again under the same id, or by another process's sweep.
        """
        _steps.update(steps)
        DBOS(
            config={
                "name": APPLICATION,
                "system_database_url": _url(self._database),
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
            QUEUE, partition_concurrency=PER_SERVICE, polling_interval_sec=POLL_SECONDS
        )

    def take_over(self, executor_id: str) -> int:
        """Go on with what a process that is gone left behind; how many pieces of work. Open-source
        DBOS only does that for its own executor id."""
        left = DBOS.list_workflows(status="PENDING", executor_id=executor_id)
        for workflow in left:
            DBOS.resume_workflow(workflow.workflow_id, queue_name=QUEUE)
        return len(left)

    def is_live(self, request_id: str) -> bool:
        """Whether some workflow of a request is still under way or waiting."""
        found = DBOS.list_workflows(workflow_id_prefix=request_id, load_input=False)
        return any(w.status in ("PENDING", "ENQUEUED", "DELAYED") for w in found)

    def stop(self) -> None:
        """Stop delivering; what is under way is taken up at the next start."""
        DBOS.destroy()
        _steps.clear()


#: The steps of this process. DBOS looks workflows up by name in the module that declares them, so
#: they cannot be handed over as arguments; ids only travel through its tables.
_steps: dict[str, StepFunction] = {}


@DBOS.step(name="step")
def _run_step(name: str, request_id: str, tries: int) -> Wait:
    return _steps[name](request_id, tries)


@DBOS.workflow(name=WORKFLOW)
def _deliver(request_id: str, service_slug: str, step: int, tries: int) -> str:
    """Run the steps from `step` on. A step that has to wait ends this workflow and leaves a later
    one, so that a request that waits for hours keeps no thread and no place in the queue."""
    for position in range(step, len(STEPS)):
        name = STEPS[position]
        wait = _run_step(name, request_id, tries)
        if wait is None:
            tries = 0
            continue
        if wait < 0:
            return f"stopped at {name}"
        later = _options(_later_id(DBOS.workflow_id or request_id), service_slug)
        later["delay_seconds"] = wait
        DBOS.enqueue_workflow_with_options(later, request_id, service_slug, position, tries + 1)
        return f"waiting at {name}"
    return "done"


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


def _url(database: Database) -> str:
    """The database for DBOS, which wants PostgreSQL without the name of a driver."""
    if database.is_sqlite:
        return database.url
    url = make_url(database.url).set(drivername="postgresql")
    return url.render_as_string(hide_password=False)
