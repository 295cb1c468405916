"""Messages to the sandbox EPR: taken whole, once, and answered."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from fhir_gateway.epr.client import EprClient
from fhir_gateway.epr.message import MessageAdapter
from fhir_gateway.fhir.check import problems
from fhir_gateway.fhir.identifiers import REQUEST_ID, identifier
from fhir_gateway.provider.endpoint import EprEndpoint, RepeatMode, Strategy
from tests.sandbox.epr.request_bundle import patient, request_bundle

PATH = "/fhir/$process-message"


def message(request_id: str) -> dict[str, Any]:
    person = {**patient(None, status="04"), "identifier": [identifier(REQUEST_ID, request_id)]}
    bundle = request_bundle(request_id=request_id, person=person, matched=False)
    header = {
        "resourceType": "MessageHeader",
        "eventUri": "https://example.org/event",
        "source": {"endpoint": "https://example.org/sender"},
    }
    entries = [{"fullUrl": e["fullUrl"], "resource": e["resource"]} for e in bundle["entry"]]
    return {
        "resourceType": "Bundle",
        "id": request_id,
        "type": "message",
        "timestamp": "2026-03-04T09:30:00Z",
        "entry": [{"fullUrl": f"urn:uuid:{uuid.uuid4()}", "resource": header}, *entries],
    }


def total(epr: httpx.Client, kind: str) -> int:
    found: int = epr.get(f"/fhir/{kind}").json()["total"]
    return found


def test_a_message_is_taken_whole_and_acknowledged(epr: httpx.Client) -> None:
    request_id = str(uuid.uuid4())
    answer = epr.post(PATH, json=message(request_id))
    assert answer.status_code == 200
    reply = answer.json()
    assert [p for p in problems(reply) if p["severity"] == "error"] == []
    header = reply["entry"][0]["resource"]
    assert header["response"] == {"identifier": request_id, "code": "ok"}
    assert header["eventUri"] == "https://example.org/event"
    assert [total(epr, kind) for kind in ("ServiceRequest", "Task", "Patient")] == [1, 1, 1]
    subject = epr.get("/fhir/ServiceRequest").json()["entry"][0]["resource"]["subject"]
    assert subject["reference"].startswith("Patient/")


def test_the_same_message_again_has_the_same_answer_and_doubles_nothing(epr: httpx.Client) -> None:
    sent = message(str(uuid.uuid4()))
    first, second = (epr.post(PATH, json=sent).json() for _ in range(2))
    assert first == second
    assert [total(epr, kind) for kind in ("ServiceRequest", "Provenance")] == [1, 1]


def test_a_message_with_something_invalid_leaves_nothing(epr: httpx.Client) -> None:
    sent = message(str(uuid.uuid4()))
    for entry in sent["entry"]:
        entry["resource"].pop("intent", None)
    answer = epr.post(PATH, json=sent)
    assert answer.status_code == 422
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert total(epr, "Patient") == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"resourceType": "Patient"},
        {"resourceType": "Bundle", "type": "transaction"},
        {"resourceType": "Bundle", "type": "message", "id": "1"},
        {"resourceType": "Bundle", "type": "message", "id": "1", "entry": [5]},
    ],
)
def test_what_is_no_message_is_refused(epr: httpx.Client, wrong: dict[str, Any]) -> None:
    answer = epr.post(PATH, json=wrong)
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["code"] == "invalid"


def test_a_message_without_an_identity_is_refused(epr: httpx.Client) -> None:
    sent = message(str(uuid.uuid4()))
    del sent["id"]
    assert epr.post(PATH, json=sent).status_code == 400


def test_the_gateway_delivers_by_message(epr: httpx.Client) -> None:
    request_id = str(uuid.uuid4())
    person = {**patient(None, status="04"), "identifier": [identifier(REQUEST_ID, request_id)]}
    bundle = request_bundle(request_id=request_id, person=person, matched=False)
    base = str(epr.base_url.join("/fhir"))
    client = EprClient(base)
    way = MessageAdapter(client, EprEndpoint(base, Strategy.MESSAGE, RepeatMode.INTENT_SEARCH))
    assert way.find(bundle, request_id) is None
    for _ in range(2):
        way.send(bundle, request_id, lambda: lambda: None)
    found = way.find(bundle, request_id)
    client.close()
    assert found is not None
    assert found.references[0].startswith("ServiceRequest/")
    assert total(epr, "ServiceRequest") == 1
