"""A world for delivery: both databases, a clock that tests move, an EPR that does as it is told."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fhir_gateway import shipped
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.delivery.timing import Timing
from fhir_gateway.epr.adapter import Delivered, Landed
from fhir_gateway.epr.fence import Guard
from fhir_gateway.fhir.identifiers import REQUEST_ID, identifier
from fhir_gateway.journey.limits import TextCaps
from fhir_gateway.provider.endpoint import RepeatMode
from fhir_gateway.provider.service import read_service
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.sandbox import overview
from fhir_gateway.sms.sender import SentText, TextStatus
from fhir_gateway.store import requests, services
from fhir_gateway.store.database import Database, Transaction
from fhir_gateway.store.requests import RequestState
from fhir_gateway.store.seal import Sealer
from tests.requirements import require

HERE = Path(__file__).parent
TIMING = Timing(retry_first=timedelta(seconds=2), retry_longest=timedelta(seconds=60))


@dataclass
class Clock:
    """Starts at a fixed moment and stands still until it is moved."""

    now: datetime = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        """Let time go by."""
        self.now += timedelta(**by)


@dataclass
class Epr:
    """An EprAdapter without an EPR behind it. `script`: what each send does in turn (an error to
    raise after or before it was taken); `taken`: the request ids that arrived, one for each."""

    mode: RepeatMode = RepeatMode.INTENT_SEARCH
    script: list[Callable[[], None]] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    looked: int = 0
    before_take: Callable[[], None] = lambda: None

    def find(self, bundle: Any, request_id: str) -> Delivered | None:
        """Look."""
        self.looked += 1
        return self._landed(request_id) if request_id in self.taken else None

    def send(self, bundle: Any, request_id: str, guard: Guard) -> Delivered:
        """Take it, then do what the script says."""
        check = guard()
        self.before_take()
        check()
        step = self.script.pop(0) if self.script else lambda: None
        if getattr(step, "before", False):
            step()
        self.taken.append(request_id)
        step()
        return self._landed(request_id)

    def _landed(self, request_id: str) -> Delivered:
        return Delivered((Landed(f"ServiceRequest/{request_id[:8]}", "1"),))


@dataclass
class Eprs:
    """Gives everybody the same adapter."""

    epr: Epr

    def adapter(self, service: Any) -> Epr:
        """The one."""
        return self.epr

    def close(self) -> None:
        """Nothing."""


@dataclass
class Phone:
    """A TextSender whose provider does as it is told."""

    script: list[Exception] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    loses: bool = False

    def send(
        self, *, to: str, text: str, reference: str, nhs_number: str | None = None
    ) -> SentText:
        """Send, or fail: after it was taken unless `loses`."""
        error = self.script.pop(0) if self.script else None
        if error is None or not self.loses:
            self.sent.append(reference)
        if error is not None:
            raise error
        return SentText("id", reference, TextStatus.UNDER_WAY)

    def find(self, reference: str) -> SentText | None:
        """Look."""
        found = reference in self.sent
        return SentText("id", reference, TextStatus.UNDER_WAY) if found else None

    def close(self) -> None:
        """Nothing."""


class Recorder:
    """An Engine that only remembers."""

    def __init__(self) -> None:
        self.enqueued: list[tuple[str, str]] = []

    def enqueue(self, tx: Transaction, request_id: str, service_slug: str, suffix: str) -> None:
        """Remember."""
        self.enqueued.append((request_id, suffix))


@dataclass
class World:
    """Everything a step needs."""

    parts: Parts
    clock: Clock
    epr: Epr
    phone: Phone

    @property
    def database(self) -> Database:
        """Of the parts."""
        return self.parts.database

    def request(self, state: RequestState = RequestState.MAPPED, slug: str = "rheumatology") -> str:
        """A request in a state; its id."""
        request_id = str(uuid.uuid4())
        response = json.loads((HERE.parent / "response.json").read_text())
        with self.database.transaction() as tx:
            requests.add(
                tx,
                request_id=request_id,
                reference=request_id[:8].upper(),
                draft_id=None,
                service_slug=slug,
                questionnaire=response["questionnaire"],
                response=response,
                evidence={},
                now=self.clock(),
            )
            for step in (RequestState.TRACED, RequestState.MAPPED, RequestState.DELIVERED):
                if list(RequestState).index(step) <= list(RequestState).index(state):
                    requests.move(tx, request_id, step, now=self.clock())
            requests.save_identity(tx, request_id, {"level": "none"})
            requests.save_bundle(tx, request_id, bundle(request_id))
        return request_id

    def state(self, request_id: str) -> RequestState:
        """How far it is."""
        with self.database.transaction() as tx:
            found = requests.find(tx, request_id)
        assert found is not None
        return found.state

    def events(self, request_id: str) -> list[str]:
        """Everything that happened to it, as `what detail`."""
        with self.database.transaction() as tx:
            return [f"{e.state} {e.detail}".strip() for e in requests.events(tx, request_id)]

    def with_timing(self, **changes: timedelta) -> World:
        """The same with other times."""
        timing = replace(self.parts.timing, **changes)
        return World(replace(self.parts, timing=timing), self.clock, self.epr, self.phone)


def bundle(request_id: str) -> dict[str, Any]:
    """A Bundle that carries a request's identifier."""
    resource = {
        "resourceType": "ServiceRequest",
        "identifier": [identifier(REQUEST_ID, request_id)],
    }
    return {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": resource}]}


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real PostgreSQL."""
    try:
        from tests.faults.postgres import CrashablePostgres
    except ImportError as error:
        require("postgresql", f"no PostgreSQL by pip: {error}")
    with CrashablePostgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server.url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind, brought up to date."""
    sealer = Sealer([b"k" * 40])
    if request.param == "sqlite":
        opened = Database(f"sqlite:///{tmp_path / 'gateway.db'}", sealer)
        opened.migrate()
        yield opened
        opened.close()
        return
    opened = Database(request.getfixturevalue("postgres"), sealer)
    with opened.engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def world(database: Database) -> World:
    """Everything a step needs, with the demo's service."""
    clock, epr, phone = Clock(), Epr(), Phone()
    service = shipped.read_resource(Path(overview.__file__).parent / "service.json")
    with database.transaction() as tx:
        services.save(tx, read_service(service).slug, service, now=clock())
    parts = Parts(
        database=database,
        catalogue=Catalogue(shipped.read_resources(shipped.folder("questionnaires"))),
        targets=shipped.read_targets(shipped.folder("mappings")),
        pds=None,  # type: ignore[arg-type]
        eprs=Eprs(epr),  # type: ignore[arg-type]
        sender=phone,
        clock=clock,
        gateway_name="http://gateway.test",
        caps=TextCaps(9999, 9999, 9999, 9999),
        timing=TIMING,
        rng=random.Random(1),
    )
    return World(parts, clock, epr, phone)
