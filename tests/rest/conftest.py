"""The API over real HTTP, on a database of each kind. A token here is a provider's ODS code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import Request

from fhir_gateway import shipped
from fhir_gateway.delivery.showing import show_what_is_published
from fhir_gateway.fhir.types import Resource
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.rest.access import ALL, Access, Scopes, nobody
from fhir_gateway.rest.app import create_fhir_app
from fhir_gateway.store import resources
from fhir_gateway.store.database import Database
from tests.conftest import QUESTIONNAIRES
from tests.databases import KINDS, emptied, fresh_database, migrated
from tests.rest.write_world import Writing, writing
from tests.serving import serve

BASE_URL = "https://gateway.example/fhir/R4"
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


def token_access(request: Request) -> Access:
    """Reads `Bearer RX1`, `Bearer ALL`, or `Bearer RX1 Task,Patient` with their scopes only."""
    header = request.headers.get("authorization", "")
    if not header.startswith("Bearer "):
        return nobody(request)
    provider, _, only = header.removeprefix("Bearer ").partition(" ")
    granted = Scopes.of([(name, "cruds") for name in (only or "*").split(",")])
    return Access(
        f"client-{provider}", frozenset({ALL if provider == "ALL" else provider}), granted
    )


@dataclass
class Api:
    """A running API. `as_provider` gives a client with that provider's token."""

    address: str
    database: Database
    client: httpx.Client

    def keep(self, *found: Resource, provider: str = "RX1", now: datetime = NOW) -> None:
        """Keep resources as a provider's, each a second later than the one before."""
        for index, resource in enumerate(found):
            with self.database.transaction() as tx:
                moment = now + timedelta(seconds=index)
                resources.write(tx, resource, provider=provider, now=moment)

    def get(self, path: str, provider: str | None = "RX1", **options: Any) -> httpx.Response:
        """GET with the token of a provider."""
        return self.request("GET", path, provider, **options)

    def request(
        self, method: str, path: str, provider: str | None = "RX1", **options: Any
    ) -> httpx.Response:
        """A request with the token of a provider; its headers are added to."""
        headers = {**options.pop("headers", {})}
        if provider:
            headers["Authorization"] = f"Bearer {provider}"
        path = path.removeprefix(BASE_URL)
        return self.client.request(method, path, headers=headers, **options)

    def ids(self, path: str, provider: str = "RX1", **options: Any) -> list[str]:
        """The ids of the matches of a search."""
        bundle = self.get(path, provider, **options).raise_for_status().json()
        return matches(bundle)


def matches(bundle: Resource) -> list[str]:
    """The ids of a searchset's matches."""
    return [
        entry["resource"]["id"]
        for entry in bundle.get("entry", [])
        if entry["search"]["mode"] == "match"
    ]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The shipped definitions."""
    return Catalogue(shipped.read_resources(QUESTIONNAIRES))


@pytest.fixture(scope="session", params=KINDS)
def running(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    catalogue: Catalogue,
) -> Iterator[Api]:
    """One API for all tests of a kind of database."""
    if request.param == "postgresql":
        url = fresh_database(request.getfixturevalue("postgresql"))
    else:
        url = f"sqlite:///{tmp_path_factory.mktemp('rest') / 'rest.db'}"
    database = migrated(url)
    app = create_fhir_app(
        catalogue,
        database,
        base_url=BASE_URL,
        clock=lambda: NOW,
        authenticate=token_access,
    )
    with (
        serve(app) as address,
        httpx.Client(base_url=f"{address}/fhir/R4", timeout=30) as client,
    ):
        yield Api(address, database, client)
    database.close()


@pytest.fixture
def api(running: Api) -> Api:
    """The API without any resource."""
    emptied(running.database)
    return running


@pytest.fixture(scope="module")
def fhir(running: Api, catalogue: Catalogue) -> httpx.Client:
    """A client without a token of an API with the shipped definitions."""
    emptied(running.database)
    show_what_is_published(running.database, catalogue, now=NOW)
    return running.client


@pytest.fixture(scope="session", params=KINDS)
def kept_writing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Writing]:
    """One whole gateway for all tests of a kind of database."""
    url = None
    if request.param == "postgresql":
        url = fresh_database(request.getfixturevalue("postgresql"))
    with writing(tmp_path_factory.mktemp("writing"), url) as world:
        yield world


@pytest.fixture
def world(kept_writing: Writing) -> Writing:
    """The gateway with two services, and nothing else."""
    kept_writing.reset()
    return kept_writing
