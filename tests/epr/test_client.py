"""The client of an EPR: against the sandbox EPR, and against answers no sandbox gives."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx

from fhir_gateway.epr.client import EprClient
from fhir_gateway.epr.clients import EprClients
from fhir_gateway.errors import GatewayError, OutcomeUnknown, Refused, TryLater
from fhir_gateway.fhir.bundle import post_entry, transaction
from fhir_gateway.fhir.identifiers import REQUEST_ID, identifier
from fhir_gateway.sandbox.epr.app import create_app
from tests.serving import serve

BASE = "https://epr.example/fhir"
ID = "5b2f0c3e-6a0e-4a52-8b0a-0f3a4a2d7c11"


def task(request_id: str) -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "identifier": [identifier(REQUEST_ID, request_id)],
        "status": "requested",
        "intent": "order",
    }


def bundle(request_id: str = ID) -> dict[str, Any]:
    return transaction([post_entry(f"urn:uuid:{uuid.uuid4()}", task(request_id))])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[EprClient]:
    with serve(create_app()) as address:
        client = EprClient(f"{address}/fhir/")
        yield client
        client.close()


@pytest.fixture
def client() -> Iterator[EprClient]:
    opened = EprClient(BASE)
    yield opened
    opened.close()


def test_what_is_posted_is_found_by_its_request(sandbox: EprClient) -> None:
    request_id = str(uuid.uuid4())
    assert sandbox.find("Task", request_id) == []
    delivered = sandbox.transact(bundle(request_id), request_id=request_id)
    assert len(delivered.references) == 1
    assert sandbox.find("Task", request_id) == delivered.references
    assert sandbox.find("ServiceRequest", request_id) == []


def test_it_says_what_it_can_do(sandbox: EprClient) -> None:
    assert sandbox.metadata()["fhirVersion"] == "4.0.1"


def test_a_bundle_that_is_not_valid_is_refused_for_good(sandbox: EprClient) -> None:
    broken = transaction([post_entry("urn:uuid:1", {"resourceType": "Task", "status": 5})])
    with pytest.raises(Refused) as raised:
        sandbox.transact(broken, request_id=ID)
    assert raised.value.code in ("epr-400", "epr-422")


def test_an_epr_that_does_not_listen_did_nothing() -> None:
    client = EprClient("http://127.0.0.1:9/fhir")
    with pytest.raises(TryLater) as raised:
        client.transact(bundle(), request_id=ID)
    assert raised.value.code == "epr-unreachable"
    with pytest.raises(TryLater):
        client.find("Task", ID)
    client.close()


@pytest.mark.hazard("H02")
@pytest.mark.parametrize(
    "silence", [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.RemoteProtocolError]
)
@respx.mock
def test_after_silence_nobody_knows(client: EprClient, silence: type[httpx.HTTPError]) -> None:
    respx.post(f"{BASE}/").mock(side_effect=silence)
    with pytest.raises(OutcomeUnknown) as raised:
        client.transact(bundle(), request_id=ID)
    assert raised.value.code == "epr-silent"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *[(s, TryLater) for s in (408, 425, 429, 503)],
        *[(s, OutcomeUnknown) for s in (500, 502, 504, 599)],
        *[(s, Refused) for s in (301, 307, 400, 401, 403, 404, 409, 410, 412, 422)],
    ],
)
@respx.mock
def test_the_status_says_whether_it_was_done(
    client: EprClient, status: int, kind: type[GatewayError]
) -> None:
    elsewhere = {"Location": "https://elsewhere.example/"}
    respx.post(f"{BASE}/").respond(status, headers=elsewhere)
    with pytest.raises(kind) as raised:
        client.transact(bundle(), request_id=ID)
    assert raised.value.code == f"epr-{status}"


@pytest.mark.parametrize(("header", "after"), [("7", 7.0), ("99999", 3600.0), ("x", None)])
@respx.mock
def test_it_waits_as_long_as_it_is_asked_to(
    client: EprClient, header: str, after: float | None
) -> None:
    respx.post(f"{BASE}/").respond(429, headers={"Retry-After": header})
    with pytest.raises(TryLater) as raised:
        client.transact(bundle(), request_id=ID)
    assert raised.value.after == after


@pytest.mark.hazard("H02")
@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"resourceType": "OperationOutcome"},
        {"resourceType": "Bundle", "type": "transaction-response", "entry": []},
        {"resourceType": "Bundle", "type": "batch-response", "entry": [{}]},
        {
            "resourceType": "Bundle",
            "type": "transaction-response",
            "entry": [{"response": {"status": "422"}}],
        },
        {"resourceType": "Bundle", "type": "transaction-response", "entry": [None]},
    ],
)
@respx.mock
def test_a_success_without_a_transaction_response_is_not_believed(
    client: EprClient, body: Any
) -> None:
    respx.post(f"{BASE}/").respond(200, json=body)
    with pytest.raises(OutcomeUnknown):
        client.transact(bundle(), request_id=ID)


@respx.mock
def test_a_success_that_is_no_json_is_not_believed(client: EprClient) -> None:
    respx.post(f"{BASE}/").respond(200, html="<h1>It works!</h1>")
    with pytest.raises(OutcomeUnknown):
        client.transact(bundle(), request_id=ID)


@pytest.mark.parametrize(
    ("location", "reference"),
    [
        ("Task/1/_history/1", ["Task/1"]),
        ("Task/1", ["Task/1"]),
        ("https://epr.example/fhir/Task/1/_history/4", ["Task/1"]),
        ("/fhir/Task/1/", ["Task/1"]),
        ("", []),
    ],
)
@respx.mock
def test_locations_are_read_in_any_form(
    client: EprClient, location: str, reference: list[str]
) -> None:
    entry = {"response": {"status": "201 Created", "location": location}}
    body = {"resourceType": "Bundle", "type": "transaction-response", "entry": [entry]}
    respx.post(f"{BASE}/").respond(200, json=body)
    assert client.transact(bundle(), request_id=ID).references == reference


@respx.mock
def test_the_bundle_is_posted_to_the_base_as_fhir_with_the_id_of_the_request(
    client: EprClient,
) -> None:
    route = respx.post(f"{BASE}/").respond(503)
    with pytest.raises(TryLater):
        client.transact(bundle(), request_id=ID)
    sent = route.calls.last.request
    assert sent.headers["content-type"] == "application/fhir+json"
    assert sent.headers["x-request-id"] == ID
    assert sent.url.query == b""


@pytest.mark.hazard("H02")
@pytest.mark.parametrize(
    "body", [b"<h1>Sign in</h1>", b"", b"[]", b"{}", b'{"resourceType": "OperationOutcome"}']
)
@respx.mock
def test_a_search_that_was_not_answered_is_not_taken_for_nothing_found(
    client: EprClient, body: bytes
) -> None:
    respx.get(url__startswith=f"{BASE}/Task").respond(200, content=body)
    with pytest.raises(TryLater) as raised:
        client.find("Task", ID)
    assert raised.value.code == "epr-shape"


@pytest.mark.hazard("H01")
@respx.mock
def test_an_epr_that_ignores_the_search_does_not_make_another_request_ours(
    client: EprClient,
) -> None:
    entries = [{"resource": {**task(i), "id": i}} for i in ("of-somebody-else", ID)]
    entries += [{"resource": {"resourceType": "Task", "id": "bare"}}, {"resource": {**task(ID)}}]
    entries += [{"resource": {**task(ID), "resourceType": "Basic", "id": "x"}}]
    found = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    respx.get(url__startswith=f"{BASE}/Task").respond(200, json=found)
    assert client.find("Task", ID) == [f"Task/{ID}"]


@pytest.mark.parametrize("status", [500, 502, 503])
@respx.mock
def test_a_look_can_always_be_repeated(client: EprClient, status: int) -> None:
    respx.get(url__startswith=f"{BASE}/Task").respond(status)
    with pytest.raises(TryLater):
        client.find("Task", ID)


@pytest.mark.parametrize("status", [401, 403, 404])
@respx.mock
def test_a_look_that_is_not_allowed_needs_a_person(client: EprClient, status: int) -> None:
    respx.get(url__startswith=f"{BASE}/Task").respond(status)
    with pytest.raises(Refused):
        client.find("Task", ID)


@respx.mock
def test_metadata_that_is_none_is_refused(client: EprClient) -> None:
    respx.get(f"{BASE}/metadata").respond(200, html="<h1>Hello</h1>")
    with pytest.raises(Refused) as raised:
        client.metadata()
    assert raised.value.code == "epr-metadata"


@pytest.mark.hazard("H08")
@pytest.mark.parametrize("code", ["Priya\x00Sharma", "x" * 500, "Canary 07700 900101", 5])
@respx.mock
def test_what_an_epr_says_does_not_reach_our_errors(client: EprClient, code: Any) -> None:
    issue = {"severity": "error", "code": code, "diagnostics": "Canary Priya Sharma"}
    respx.post(f"{BASE}/").respond(422, json={"resourceType": "OperationOutcome", "issue": [issue]})
    with pytest.raises(Refused) as raised:
        client.transact(bundle(), request_id=ID)
    assert str(raised.value) == "The EPR answered 422 (no OperationOutcome)"


@respx.mock
def test_the_code_of_an_issue_does(client: EprClient) -> None:
    issue = {"severity": "error", "code": "business-rule"}
    respx.post(f"{BASE}/").respond(422, json={"resourceType": "OperationOutcome", "issue": [issue]})
    with pytest.raises(Refused, match=r"422 \(business-rule\)"):
        client.transact(bundle(), request_id=ID)


def test_there_is_one_client_for_each_epr() -> None:
    clients = EprClients(None)
    one = clients.at("https://one.example/fhir")
    assert clients.at("https://one.example/fhir") is one
    assert clients.at("https://two.example/fhir") is not one
    clients.close()
    assert clients.at("https://one.example/fhir") is not one
    clients.close()
