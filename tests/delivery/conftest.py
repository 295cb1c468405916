"""Delivery with a real database and the stand-ins over real HTTP; each test has what it breaks."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from fhir_gateway import shipped
from fhir_gateway.app import LONDON, Gateway, build
from fhir_gateway.fhir.identifiers import REQUEST_ID, identifier
from fhir_gateway.fhir.types import Resource
from fhir_gateway.journey import tokens
from fhir_gateway.provider.service import read_service
from fhir_gateway.sandbox import overview
from fhir_gateway.sandbox.epr.app import create_app as create_epr
from fhir_gateway.sandbox.pds.app import BASE_PATH
from fhir_gateway.sandbox.pds.app import create_app as create_pds
from fhir_gateway.sandbox.phone.app import TEMPLATE_ID, api_key
from fhir_gateway.sandbox.phone.app import create_app as create_phone
from fhir_gateway.settings import load
from fhir_gateway.store import requests, services
from fhir_gateway.store.requests import Request, RequestState
from tests.databases import KINDS, emptied, fresh_database
from tests.serving import serve
from tests.web.conftest import running_pages
from tests.web.walking import MEDICAL, Walker

QUESTIONNAIRE = "https://w3id.org/fhir-gateway/Questionnaire/pifu-medical|1.0.0"
MOBILE = "+447700900101"


@dataclass
class World:
    """A gateway without pages, and its neighbours. `ahead` moves its clock."""

    gateway: Gateway
    epr: str
    phone: str
    front: Starlette
    response: Resource
    ahead: timedelta = field(default_factory=timedelta)

    @property
    def parts(self) -> Any:
        """What the steps work with."""
        return self.gateway.parts

    def accepted(self, response: Resource | None = None, **evidence: Any) -> str:
        """Keep an accepted request about the typical persona; its id."""
        request_id = str(uuid.uuid4())
        kept = {**(response or self.response), "identifier": identifier(REQUEST_ID, request_id)}
        with self.gateway.database.transaction() as tx:
            requests.add(
                tx,
                request_id=request_id,
                reference=tokens.reference(),
                draft_id=None,
                service_slug="rheumatology",
                questionnaire=QUESTIONNAIRE,
                response=kept,
                evidence={"verified": {MOBILE: "2026-11-25T09:00:00Z"}, **evidence},
                now=self.parts.clock(),
            )
        return request_id

    def request(self, request_id: str) -> Request:
        """The request as it is now."""
        with self.gateway.database.transaction() as tx:
            found = requests.find(tx, request_id)
        assert found is not None
        return found

    def state(self, request_id: str) -> RequestState:
        """How far it has come."""
        return self.request(request_id).state

    def events(self, request_id: str) -> list[tuple[str, str]]:
        """What happened to it."""
        with self.gateway.database.transaction() as tx:
            return [(event.state, event.detail) for event in requests.events(tx, request_id)]

    def at_epr(self, resource_type: str, request_id: str) -> list[Resource]:
        """What the EPR has of a request."""
        found = httpx.get(
            f"{self.epr}/{resource_type}", params={"identifier": f"{REQUEST_ID}|{request_id}"}
        )
        return [entry["resource"] for entry in found.json().get("entry", [])]

    def texts(self) -> list[dict[str, str]]:
        """The texts on the person's phone."""
        found: list[dict[str, str]] = httpx.get(
            f"{self.phone}/messages", params={"to": MOBILE}
        ).json()
        return found


@pytest.fixture(scope="session")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Resource:
    """A completed response, as a person sent it through the pages."""
    with (
        running_pages(tmp_path_factory.mktemp("typed")) as pages,
        httpx.Client(follow_redirects=True, timeout=30) as http,
    ):
        walker = Walker(http, pages.link())
        walker.walk(MEDICAL, until="/check").post(MEDICAL)
        assert "Request sent" in walker.heading
        with pages.gateway.database.transaction() as tx:
            (only,) = requests.in_states(tx, (RequestState.ACCEPTED,))
            found = requests.find(tx, only.id)
    assert found is not None
    return found.response


@pytest.fixture(scope="session")
def neighbours() -> Iterator[tuple[str, str, str, Starlette]]:
    """PDS, EPR and phone; which EPR answers is set by each test."""
    front = Starlette()
    with serve(create_pds()) as pds, serve(front) as epr, serve(create_phone()) as phone:
        yield f"{pds}{BASE_PATH}", f"{epr}/fhir", phone, front


@pytest.fixture(scope="session", params=KINDS)
def kept_world(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    neighbours: tuple[str, str, str, Starlette],
    typed: Resource,
) -> Iterator[World]:
    """One gateway for all tests of a kind of database."""
    pds, epr, phone, front = neighbours
    postgresql = request.param == "postgresql"
    url = fresh_database(request.getfixturevalue("postgresql")) if postgresql else None
    settings = load(
        data_dir=tmp_path_factory.mktemp("delivery"),
        database_url=url,
        notify_base_url=phone,
        notify_api_key=SecretStr(api_key()),
        notify_template_id=TEMPLATE_ID,
        pds_base_url=pds,
        texts_per_number=1000,
    )
    world: World

    def clock() -> datetime:
        return datetime.now(LONDON) + world.ahead

    world = World(build(settings, clock=clock), epr, phone, front, typed)
    world.gateway.prepare()
    yield world
    world.gateway.close()


@pytest.fixture
def world(kept_world: World) -> World:
    """The gateway with an empty database, the demo's service and an empty EPR."""
    emptied(kept_world.gateway.database)
    kept_world.ahead = timedelta()
    kept_world.front.router.default = create_epr()
    bundle = shipped.read_resource(Path(overview.__file__).parent / "service.json")
    bundle["entry"][2]["resource"]["address"] = kept_world.epr
    with kept_world.gateway.database.transaction() as tx:
        services.save(tx, read_service(bundle).slug, bundle, now=kept_world.parts.clock())
    return kept_world


@pytest.fixture
def rng() -> random.Random:
    """Chance that is the same each time."""
    return random.Random(1)
