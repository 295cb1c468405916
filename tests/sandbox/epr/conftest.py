"""A sandbox EPR on a real port, and a client that speaks FHIR to it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from fhir_gateway.sandbox.epr.app import create_app
from tests.serving import serve

FHIR_JSON = {"Content-Type": "application/fhir+json"}


@contextlib.contextmanager
def _started(**options: Any) -> Iterator[httpx.Client]:
    with (
        serve(create_app(**options)) as address,
        httpx.Client(base_url=address, headers=FHIR_JSON, timeout=30) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def start() -> Callable[..., AbstractContextManager[httpx.Client]]:
    """Starts an EPR with these options of `create_app` until the block ends."""
    return _started


@pytest.fixture(scope="session")
def _front() -> Iterator[tuple[Starlette, httpx.Client]]:
    """One server for all tests; which app answers is set by each (starting a server is slow)."""
    front = Starlette()
    with (
        serve(front) as address,
        httpx.Client(base_url=address, headers=FHIR_JSON, timeout=30) as client,
    ):
        yield front, client


@pytest.fixture
def epr(_front: tuple[Starlette, httpx.Client]) -> httpx.Client:
    """A client of an empty EPR in memory."""
    front, client = _front
    front.router.default = create_app()
    return client
