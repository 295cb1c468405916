"""EPRs for tests: the sandbox over real HTTP, and one that does what a test tells it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import httpx
import pytest
from starlette.applications import Starlette

from fhir_gateway.epr.adapter import EprAdapter
from fhir_gateway.epr.client import EprClient
from fhir_gateway.epr.clients import ONLY
from fhir_gateway.epr.creates import CreatesAdapter
from fhir_gateway.epr.exchange import Exchange
from fhir_gateway.epr.message import MessageAdapter
from fhir_gateway.epr.progress import MemoryProgress, Progress
from fhir_gateway.epr.transaction import TransactionAdapter
from fhir_gateway.provider.endpoint import EprEndpoint, Strategy
from fhir_gateway.sandbox.epr.app import create_app
from tests.epr.scripted import Scripted, scripted
from tests.sandbox.epr.request_bundle import patient
from tests.serving import serve

#: Makes the adapter for an endpoint; a test may hand in its progress.
MakeAdapter = Callable[..., EprAdapter]


@pytest.fixture
def epr() -> Iterator[Scripted]:
    """An EPR that does what the test tells it."""
    with scripted() as server:
        yield server


@pytest.fixture
def adapter() -> Iterator[MakeAdapter]:
    """Makes adapters that wait `patience` seconds, and closes their connections."""
    with contextlib.ExitStack() as closing:

        def make(
            endpoint: EprEndpoint, progress: Progress | None = None, patience: float = 15.0
        ) -> EprAdapter:
            exchange = Exchange(
                endpoint.address,
                body_seconds=patience,
                timeout=httpx.Timeout(patience),
                verify=False,  # over http; reading certificates takes long
            )
            client = EprClient(endpoint.address, format=endpoint.format, exchange=exchange)
            closing.callback(client.close)
            kept = progress or MemoryProgress()
            match endpoint.strategy:
                case Strategy.TRANSACTION:
                    return TransactionAdapter(client, endpoint, kept)
                case Strategy.MESSAGE:
                    return MessageAdapter(client, endpoint)
                case _:
                    return CreatesAdapter(client, endpoint, kept, ONLY.get(endpoint.strategy))

        yield make


@pytest.fixture(scope="session")
def _front() -> Iterator[tuple[Starlette, str]]:
    """One server for all tests; which app answers is set by each (starting a server is slow)."""
    front = Starlette()
    with serve(front) as address:
        yield front, address


class SandboxEpr:
    """A sandbox EPR. `base`: of its FHIR server."""

    def __init__(self, address: str) -> None:
        self.base = f"{address}/fhir"

    def count(self, resource_type: str) -> int:
        """How many resources of a type it has."""
        answer = httpx.get(f"{self.base}/{resource_type}", params={"_summary": "count"})
        return int(answer.json()["total"])

    def only(self, resource_type: str) -> dict[str, object]:
        """The one resource of a type."""
        entries = httpx.get(f"{self.base}/{resource_type}").json().get("entry", [])
        assert len(entries) == 1
        found: dict[str, object] = entries[0]["resource"]
        return found


@pytest.fixture
def sandbox(_front: tuple[Starlette, str]) -> SandboxEpr:
    """An EPR that has the patient of `request_bundle` already."""
    front, address = _front
    front.router.default = create_app(patients=[patient()])
    return SandboxEpr(address)
