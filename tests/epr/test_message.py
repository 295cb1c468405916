"""Messages to $process-message."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from fhir_gateway.epr.message import as_message
from fhir_gateway.errors import GatewayError, OutcomeUnknown, Refused, TryLater
from fhir_gateway.fhir import check
from fhir_gateway.fhir.identifiers import REQUEST_ID, identifier
from fhir_gateway.provider.endpoint import EprEndpoint, Strategy
from tests.epr.conftest import MakeAdapter
from tests.epr.scripted import CONTENT, Reply, Scripted, Seen, declared, outcome, searchset
from tests.sandbox.epr.request_bundle import request_bundle

REQUEST = str(uuid.uuid4())


def unguarded():  # type: ignore[no-untyped-def]
    return lambda: None


def reply(code: str) -> Reply:
    header = {
        "resourceType": "MessageHeader",
        "response": {"identifier": "x", "code": code},
    }
    entries = [{"resource": header}, {"resource": outcome("processing", severity="warning")}]
    return Reply(200, {"resourceType": "Bundle", "type": "message", "entry": entries}, CONTENT)


def send(epr: Scripted, adapter: MakeAdapter, answer: Reply) -> Any:
    epr.answer = lambda seen: answer if seen.method == "POST" else None
    way = adapter(EprEndpoint(epr.base, Strategy.MESSAGE))
    return way.send(request_bundle(request_id=REQUEST), REQUEST, unguarded)


@pytest.mark.parametrize("answer", [reply("ok"), Reply(202), Reply(204), Reply(200)])
def test_a_message_that_was_taken(epr: Scripted, adapter: MakeAdapter, answer: Reply) -> None:
    delivered = send(epr, adapter, answer)
    sent = epr.writes()[0]
    assert sent.path == "/fhir/$process-message"
    assert sent.body["type"] == "message"
    assert sent.body["entry"][0]["resource"]["resourceType"] == "MessageHeader"
    assert delivered.references == [f"Bundle/{sent.body['id']}"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply("fatal-error"), Refused),
        (reply("transient-error"), TryLater),
        (reply("whatever"), OutcomeUnknown),
        (Reply(200, "<html>Sign in</html>", {"content-type": "text/html"}), OutcomeUnknown),
        (Reply(200, {"resourceType": "Bundle", "type": "searchset"}, CONTENT), OutcomeUnknown),
        (Reply(400, outcome("invalid"), CONTENT), Refused),
        (Reply(500), OutcomeUnknown),
    ],
)
def test_a_message_that_was_not_taken(
    epr: Scripted, adapter: MakeAdapter, answer: Reply, kind: type[GatewayError]
) -> None:
    with pytest.raises(kind):
        send(epr, adapter, answer)


def test_a_duplicate_was_received_before(epr: Scripted, adapter: MakeAdapter) -> None:
    delivered = send(epr, adapter, Reply(409, outcome("REC_CONFLICT"), CONTENT))
    assert delivered.references
    assert "received before" in delivered.warnings[0]


@pytest.mark.parametrize(("status", "kind"), [(409, TryLater), (412, Refused)])
def test_a_conflict_that_does_not_say_duplicate_proves_no_receipt(
    epr: Scripted, adapter: MakeAdapter, status: int, kind: type[GatewayError]
) -> None:
    with pytest.raises(kind):
        send(epr, adapter, Reply(status, outcome("conflict"), CONTENT))


def test_after_a_conflict_a_message_that_is_there_is_found(
    epr: Scripted, adapter: MakeAdapter
) -> None:
    there = {
        "resourceType": "ServiceRequest",
        "id": "77",
        "identifier": [identifier(REQUEST_ID, REQUEST)],
    }

    def answer(seen: Seen) -> Reply | None:
        if seen.method == "POST":
            return Reply(409)
        return Reply(200, searchset(there), CONTENT) if "ServiceRequest?" in seen.path else None

    epr.answer = answer
    way = adapter(EprEndpoint(epr.base, Strategy.MESSAGE))
    delivered = way.send(request_bundle(request_id=REQUEST), REQUEST, unguarded)
    assert delivered.references == ["ServiceRequest/77"]


def test_after_a_conflict_where_nobody_can_look_nobody_knows(
    epr: Scripted, adapter: MakeAdapter
) -> None:
    epr.statement = declared(identifier=False)
    with pytest.raises(OutcomeUnknown):
        send(epr, adapter, Reply(409))


def test_the_message_is_valid_and_the_same_each_time() -> None:
    bundle = request_bundle(request_id=REQUEST)
    endpoint = EprEndpoint("https://epr.example.nhs.uk/fhir", Strategy.MESSAGE)
    message = as_message(bundle, REQUEST, endpoint)
    assert message == as_message(bundle, REQUEST, endpoint)
    assert not [i for i in check.problems(message) if i["severity"] == "error"]
    assert as_message(message, REQUEST, endpoint) is message
