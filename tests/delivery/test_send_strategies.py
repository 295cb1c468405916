"""The step `send` into a sandbox EPR over real HTTP, by strategies of its service; partial progress
and what came back are kept in the database."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_gateway import shipped
from fhir_gateway.app import Gateway, build
from fhir_gateway.delivery.send import send
from fhir_gateway.fhir.identifiers import REQUEST_ID
from fhir_gateway.provider.endpoint import DELIVERY
from fhir_gateway.sandbox import overview
from fhir_gateway.sandbox.epr.app import create_app
from fhir_gateway.settings import load
from fhir_gateway.store import epr_parts, requests, services
from fhir_gateway.store.requests import RequestState
from tests.sandbox.epr.request_bundle import patient, request_bundle
from tests.serving import serve

SERVICE = Path(overview.__file__).parent / "service.json"


@pytest.fixture(scope="module")
def epr() -> Iterator[str]:
    with serve(create_app(patients=[patient()])) as address:
        yield f"{address}/fhir"


@pytest.fixture(scope="module")
def no_messages() -> Iterator[str]:
    """An EPR that does not take the messages that it declares."""
    with serve(create_app(faults=["claims-messages"])) as address:
        yield f"{address}/fhir"


@contextlib.contextmanager
def gateway_to(folder: Path, address: str, strategy: str) -> Iterator[Gateway]:
    """A gateway whose only service delivers to `address` by `strategy`."""
    gateway = build(load(data_dir=folder, pds_base_url="http://127.0.0.1:9/none"))
    gateway.database.migrate()
    bundle = shipped.read_resource(SERVICE)
    endpoint = bundle["entry"][2]["resource"]
    endpoint["address"] = address
    part = {"url": "strategy", "valueCode": strategy}
    endpoint["extension"] = [{"url": DELIVERY, "extension": [part]}]
    with gateway.database.transaction() as tx:
        services.save(tx, "rheumatology", bundle, now=gateway.parts.clock())
    try:
        yield gateway
    finally:
        gateway.close()


def mapped(gateway: Gateway, bundle: dict[str, Any], request_id: str) -> None:
    """A request that is ready to be sent."""
    now = gateway.parts.clock()
    with gateway.database.transaction() as tx:
        requests.add(
            tx,
            request_id=request_id,
            reference=request_id[:8].upper(),
            draft_id=None,
            service_slug="rheumatology",
            questionnaire="q",
            response={},
            evidence={},
            now=now,
        )
        requests.move(tx, request_id, RequestState.TRACED, now=now)
        requests.save_bundle(tx, request_id, bundle)
        requests.move(tx, request_id, RequestState.MAPPED, now=now)


@pytest.mark.parametrize("strategy", ["transaction", "creates"])
def test_a_request_is_delivered_and_what_came_back_is_kept(
    tmp_path: Path, epr: str, strategy: str
) -> None:
    request_id = str(uuid.uuid4())
    with gateway_to(tmp_path, epr, strategy) as gateway:
        mapped(gateway, request_bundle(request_id=request_id), request_id)
        assert send(gateway.parts, request_id, 0) is None
        with gateway.database.transaction() as tx:
            request = requests.find(tx, request_id)
            parts = epr_parts.of_request(tx, request_id)
    assert request is not None
    assert request.state is RequestState.DELIVERED
    assert len(request.delivered_as) == 5
    for reference in request.delivered_as:
        assert httpx.get(f"{epr}/{reference}").status_code == 200
    # A transaction is whole, so nothing is kept in part.
    assert len(parts) == (4 if strategy == "creates" else 0)


def test_a_file_drop_needs_no_server(tmp_path: Path) -> None:
    request_id = str(uuid.uuid4())
    folder = tmp_path / "drop"
    folder.mkdir()
    with gateway_to(tmp_path / "data", folder.as_uri(), "file") as gateway:
        mapped(gateway, request_bundle(request_id=request_id), request_id)
        assert send(gateway.parts, request_id, 0) is None
    assert (folder / f"{request_id}.json").is_file()


def test_a_message_arrives(tmp_path: Path, epr: str) -> None:
    request_id = str(uuid.uuid4())
    with gateway_to(tmp_path, epr, "message") as gateway:
        mapped(gateway, request_bundle(request_id=request_id), request_id)
        assert send(gateway.parts, request_id, 0) is None
        with gateway.database.transaction() as tx:
            request = requests.find(tx, request_id)
    assert request is not None
    assert request.state is RequestState.DELIVERED
    found = httpx.get(f"{epr}/ServiceRequest?identifier={REQUEST_ID}|{request_id}").json()
    assert found["total"] == 1


def test_what_the_strategy_cannot_send_waits_for_a_person(tmp_path: Path, no_messages: str) -> None:
    request_id = str(uuid.uuid4())
    with gateway_to(tmp_path, no_messages, "message") as gateway:
        mapped(gateway, request_bundle(request_id=request_id), request_id)
        send(gateway.parts, request_id, 0)
        with gateway.database.transaction() as tx:
            request = requests.find(tx, request_id)
    assert request is not None
    assert request.state is RequestState.NEEDS_ATTENTION
