"""Sandbox PDSs, served over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from fhir_gateway.sandbox.pds.app import create_app
from fhir_gateway.sandbox.pds.population import Population
from tests.sandbox.pds.client import Client
from tests.sandbox.pds.made_people import made_people
from tests.serving import serve


@pytest.fixture(scope="session")
def pds() -> Iterator[Client]:
    """The sandbox as it comes."""
    with serve(create_app()) as url, httpx.Client(base_url=url) as http:
        yield Client(http)


@pytest.fixture(scope="session")
def rules() -> Iterator[Client]:
    """A sandbox of few people, made for the rules of the search."""
    app = create_app(population=Population(made_people()))
    with serve(app) as url, httpx.Client(base_url=url) as http:
        yield Client(http)
