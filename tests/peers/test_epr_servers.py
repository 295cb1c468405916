"""Every strategy that fits against FHIR servers of others, over real HTTP: what is sent arrives
once, also when answers are lost on the way."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from fhir_gateway.epr import assessment
from fhir_gateway.epr.adapter import EprAdapter
from fhir_gateway.epr.client import EprClient
from fhir_gateway.epr.clients import ONLY
from fhir_gateway.epr.creates import CreatesAdapter
from fhir_gateway.epr.progress import MemoryProgress
from fhir_gateway.epr.transaction import TransactionAdapter
from fhir_gateway.errors import OutcomeUnknown, Refused
from fhir_gateway.fhir.bundle import references
from fhir_gateway.fhir.identifiers import REQUEST_ID, identifier, token
from fhir_gateway.provider.endpoint import EprEndpoint, RepeatMode, Strategy, WireFormat
from tests.peers.starting import HAPI_MARKS, running
from tests.sandbox.epr.request_bundle import patient, request_bundle

TYPES = ("ServiceRequest", "QuestionnaireResponse", "Task")


@dataclass(frozen=True, slots=True)
class Peer:
    """A server under test: its name and its base."""

    name: str
    base: str

    def matching(self, resource_type: str, request_id: str) -> list[dict[str, Any]]:
        """The resources of a request that it has, asked in our own words."""
        answer = httpx.get(
            f"{self.base}/{resource_type}",
            params={"identifier": token(REQUEST_ID, request_id)},
            headers={"Accept": "application/fhir+json", "Cache-Control": "no-cache"},
            timeout=60,
        )
        return [entry["resource"] for entry in answer.json().get("entry", [])]


@pytest.fixture(
    scope="module",
    params=["medplum", "node-fhir-server", pytest.param("hapi-jpa", marks=HAPI_MARKS)],
)
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    """A running server."""
    if request.param == "hapi-jpa":
        yield Peer(request.param, request.getfixturevalue("hapi_jpa"))
        return
    with running(request.param, "node") as base:
        yield Peer(request.param, base)


class Losing(httpx.BaseTransport):
    """Loses the answer to the `nth` write (from 1) after the server has given it."""

    def __init__(self, nth: int = 0) -> None:
        self._inner = httpx.HTTPTransport()
        self._nth = nth
        self.writes = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass it on."""
        response = self._inner.handle_request(request)
        if request.method in ("POST", "PUT"):
            self.writes += 1
            if self.writes == self._nth:
                response.read()
                response.close()
                raise httpx.ReadError("lost on the way", request=request)
        return response

    def close(self) -> None:
        """Close connections."""
        self._inner.close()


Make = Callable[..., EprAdapter]


@pytest.fixture
def make(peer: Peer) -> Iterator[Make]:
    """Makes the adapter of an endpoint; a test may hand in its progress and its transport."""
    clients = []

    def made(
        endpoint: EprEndpoint,
        progress: MemoryProgress | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> EprAdapter:
        client = EprClient(endpoint.address, transport=transport, seconds=60)
        clients.append(client)
        kept = progress or MemoryProgress()
        if endpoint.strategy is Strategy.TRANSACTION:
            return TransactionAdapter(client, endpoint, kept)
        return CreatesAdapter(client, endpoint, kept, ONLY.get(endpoint.strategy))

    yield made
    for client in clients:
        client.close()


@pytest.fixture
def endpoint(peer: Peer) -> EprEndpoint:
    """What `epr check` says that follows from the peer's /metadata."""
    client = EprClient(peer.base, seconds=60)
    found = assessment.assess(client.capability())
    client.close()
    return EprEndpoint(peer.base, found.strategy, found.repeat)


def unguarded():  # type: ignore[no-untyped-def]
    return lambda: None


def request(**options: Any) -> tuple[str, dict[str, Any]]:
    """A request about nobody whom the trace matched, who brings a Patient of their own."""
    request_id = str(uuid.uuid4())
    person = {**patient(None, status="04"), "identifier": [identifier(REQUEST_ID, request_id)]}
    options = {"person": person, "matched": False, **options}
    return request_id, request_bundle(request_id=request_id, **options)


def test_the_strategy_that_follows_from_metadata(peer: Peer, endpoint: EprEndpoint) -> None:
    expected = {
        "medplum": (Strategy.TRANSACTION, RepeatMode.CONDITIONAL_CREATE),
        "node-fhir-server": (Strategy.CREATES, RepeatMode.INTENT_SEARCH),
        "hapi-jpa": (Strategy.TRANSACTION, RepeatMode.CONDITIONAL_CREATE),
    }
    assert (endpoint.strategy, endpoint.repeat) == expected[peer.name]


def test_a_request_arrives_whole_and_is_found(
    peer: Peer, make: Make, endpoint: EprEndpoint
) -> None:
    request_id, bundle = request()
    way = make(endpoint)
    delivered = way.send(bundle, request_id, unguarded)
    assert [len(peer.matching(name, request_id)) for name in TYPES] == [1, 1, 1]
    assert len(delivered.references) == 5
    assert all(landed.version for landed in delivered.resources)
    found = way.find(bundle, request_id)
    assert found is not None
    for name in TYPES:
        for reference in references(peer.matching(name, request_id)[0]):
            assert "urn:" not in reference["reference"]


def test_single_creates_arrive_too(peer: Peer, make: Make, endpoint: EprEndpoint) -> None:
    request_id, bundle = request()
    way = make(replace(endpoint, strategy=Strategy.CREATES))
    way.send(bundle, request_id, unguarded)
    assert [len(peer.matching(name, request_id)) for name in TYPES] == [1, 1, 1]


def test_a_communication_alone_arrives(peer: Peer, make: Make, endpoint: EprEndpoint) -> None:
    request_id, bundle = request(admin=True)
    way = make(replace(endpoint, strategy=Strategy.COMMUNICATION))
    delivered = way.send(bundle, request_id, unguarded)
    assert len(peer.matching("Communication", request_id)) == 1
    assert not peer.matching("Task", request_id)
    assert delivered.warnings


def test_the_second_request_of_a_matched_patient_joins_the_same_record(
    peer: Peer, make: Make, endpoint: EprEndpoint
) -> None:
    ids = []
    for _ in range(2):
        request_id = str(uuid.uuid4())
        bundle = request_bundle(request_id=request_id, person=patient("9990000034"))
        make(endpoint).send(bundle, request_id, unguarded)
        ids.append(peer.matching("ServiceRequest", request_id)[0]["subject"]["reference"])
    assert ids[0] == ids[1]
    assert ids[0].startswith("Patient/")


@pytest.mark.parametrize(
    ("strategy", "nth"), [(None, 1), *((Strategy.CREATES, nth) for nth in range(1, 6))]
)
def test_an_answer_that_is_lost_doubles_nothing(
    peer: Peer, make: Make, endpoint: EprEndpoint, nth: int, strategy: Strategy | None
) -> None:
    chosen = replace(endpoint, strategy=strategy or endpoint.strategy)
    request_id, bundle = request()
    progress = MemoryProgress()
    losing = make(chosen, progress, Losing(nth))
    with pytest.raises(OutcomeUnknown):
        losing.send(bundle, request_id, unguarded)

    # Another process, after the settle time.
    way = make(chosen, progress)
    found = way.find(bundle, request_id)
    if found is None:
        found = way.send(bundle, request_id, unguarded)

    assert [len(peer.matching(name, request_id)) for name in TYPES] == [1, 1, 1]
    root = peer.matching("ServiceRequest", request_id)[0]
    provenances = httpx.get(
        f"{peer.base}/Provenance",
        params={"target": f"ServiceRequest/{root['id']}"},
        headers={"Accept": "application/fhir+json", "Cache-Control": "no-cache"},
        timeout=60,
    )
    assert len(provenances.json().get("entry", [])) == 1
    assert any(r.startswith("ServiceRequest/") for r in found.references)


def test_blind_repeats_double_where_if_none_exist_is_passed_over(
    peer: Peer, make: Make, endpoint: EprEndpoint
) -> None:
    """Why we look first: the same send again, by a process that knows of no other."""
    request_id, bundle = request()
    for _ in range(2):
        make(replace(endpoint, strategy=Strategy.CREATES)).send(bundle, request_id, unguarded)
    expected = 2 if peer.name == "node-fhir-server" else 1
    assert len(peer.matching("ServiceRequest", request_id)) == expected


@pytest.mark.parametrize("strategy", [Strategy.TRANSACTION, Strategy.CREATES])
def test_a_request_arrives_in_xml_where_the_server_takes_it(peer: Peer, strategy: Strategy) -> None:
    if peer.name != "hapi-jpa":
        pytest.skip(f"{peer.name} takes JSON only")
    request_id, bundle = request()
    client = EprClient(peer.base, format=WireFormat.XML, seconds=60)
    endpoint = EprEndpoint(peer.base, strategy, format=WireFormat.XML)
    way: EprAdapter = (
        TransactionAdapter(client, endpoint, MemoryProgress())
        if strategy is Strategy.TRANSACTION
        else CreatesAdapter(client, endpoint, MemoryProgress())
    )
    way.send(bundle, request_id, unguarded)
    assert [len(peer.matching(name, request_id)) for name in TYPES] == [1, 1, 1]
    found = way.find(bundle, request_id)
    client.close()
    assert found is not None


@pytest.mark.parametrize("strategy", [Strategy.TRANSACTION, Strategy.CREATES])
def test_what_a_server_that_validates_refuses_is_refused(strategy: Strategy) -> None:
    request_id, bundle = request()
    del bundle["entry"][1]["resource"]["intent"]
    with running("medplum", "node") as base:
        client = EprClient(base)
        endpoint = EprEndpoint(base, strategy)
        way: EprAdapter = (
            TransactionAdapter(client, endpoint, MemoryProgress())
            if strategy is Strategy.TRANSACTION
            else CreatesAdapter(client, endpoint, MemoryProgress())
        )
        with pytest.raises(Refused):
            way.send(bundle, request_id, unguarded)
        client.close()
