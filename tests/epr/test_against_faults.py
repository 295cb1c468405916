"""The gateway against every fault of the sandbox EPR: it delivers once, or says that a person must
look; it never doubles, and never says delivered of what is not there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette

from fhir_gateway.epr.adapter import EprAdapter
from fhir_gateway.epr.client import EprClient
from fhir_gateway.epr.creates import CreatesAdapter
from fhir_gateway.epr.progress import MemoryProgress
from fhir_gateway.epr.transaction import TransactionAdapter
from fhir_gateway.errors import GatewayError, OutcomeUnknown
from fhir_gateway.fhir.identifiers import REQUEST_ID, identifier
from fhir_gateway.provider.endpoint import EprEndpoint, RepeatMode, Strategy
from fhir_gateway.sandbox.epr.app import create_app
from fhir_gateway.sandbox.epr.injected.catalogue import FAULTS
from tests.sandbox.epr.request_bundle import patient, request_bundle
from tests.serving import serve

TYPES = ("ServiceRequest", "QuestionnaireResponse", "Task")
TRIES = 4


@pytest.fixture(scope="module")
def front() -> Iterator[tuple[Starlette, httpx.Client]]:
    app = Starlette()
    # Without certificates to check, as loading authorities takes longer than a test.
    with serve(app) as address, httpx.Client(base_url=address, verify=False) as client:
        yield app, client


def unguarded():  # type: ignore[no-untyped-def]
    return lambda: None


def delivered(way: EprAdapter, bundle: dict[str, object], request_id: str) -> str:
    """`delivered`, or the code of the error that is left after some tries, as delivery makes them:
    what nobody knows is looked for before it is sent again."""
    code = ""
    for _ in range(TRIES):
        try:
            way.send(bundle, request_id, unguarded)
            return "delivered"
        except OutcomeUnknown as error:
            code = error.code
            try:
                if way.find(bundle, request_id):
                    return "delivered"
            except GatewayError as found:
                return found.code
        except GatewayError as error:
            return error.code
    return code


@pytest.mark.parametrize(
    ("strategy", "repeat"),
    [
        (Strategy.TRANSACTION, RepeatMode.INTENT_SEARCH),
        (Strategy.CREATES, RepeatMode.INTENT_SEARCH),
        (Strategy.CREATES, RepeatMode.PUT_BY_CLIENT_ID),
    ],
)
@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_doubled_and_nothing_is_lost_silently(
    front: tuple[Starlette, httpx.Client], name: str, strategy: Strategy, repeat: RepeatMode
) -> None:
    app, looking = front
    app.router.default = create_app(faults=[name])
    base = str(looking.base_url.join("/fhir"))
    request_id = str(uuid.uuid4())
    person = {**patient(None, status="04"), "identifier": [identifier(REQUEST_ID, request_id)]}
    bundle = request_bundle(request_id=request_id, person=person, matched=False)
    client = EprClient(base, verify=False)
    endpoint = EprEndpoint(base, strategy, repeat)
    way: EprAdapter = (
        TransactionAdapter(client, endpoint, MemoryProgress())
        if strategy is Strategy.TRANSACTION
        else CreatesAdapter(client, endpoint, MemoryProgress())
    )
    end = delivered(way, bundle, request_id)
    client.close()

    looking.delete("/faults").raise_for_status()
    there = [looking.get(f"/fhir/{kind}").json()["total"] for kind in TYPES]
    assert max(there) <= 1, f"doubled ({end})"
    if end == "delivered":
        assert there == [1, 1, 1]
    else:
        assert end.startswith("epr-")
