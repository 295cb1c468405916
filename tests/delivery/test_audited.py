"""What the gateway does at an EPR, and what people decide about requests, is in the audit."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_gateway.app import Gateway
from fhir_gateway.delivery import replay
from fhir_gateway.delivery.send import send
from fhir_gateway.fhir import check
from fhir_gateway.fhir.identifiers import NHS_NUMBER, REQUEST_ID
from fhir_gateway.fhir.types import Resource
from fhir_gateway.sandbox.epr.app import create_app
from fhir_gateway.store import audit_log, requests
from fhir_gateway.store.audit_log import Query
from tests.delivery.test_send_strategies import gateway_to, mapped, no_messages
from tests.sandbox.epr.request_bundle import patient, request_bundle
from tests.serving import serve

__all__ = ["no_messages"]  # a fixture


@pytest.fixture(scope="module")
def epr() -> Iterator[str]:
    with serve(create_app(patients=[patient()])) as address:
        yield f"{address}/fhir"


def events(gateway: Gateway, **query: Any) -> list[Resource]:
    """Oldest first."""
    with gateway.database.transaction() as tx:
        found = audit_log.search(tx, Query(**query), limit=100, oldest_first=True)
    assert [p for event in found for p in check.problems(event)] == []
    return found


def codes(found: list[Resource]) -> list[str]:
    return [event["subtype"][0]["code"] for event in found]


def test_what_left_and_what_it_became_is_recorded(tmp_path: Path, epr: str) -> None:
    request_id = str(uuid.uuid4())
    with gateway_to(tmp_path, epr, "transaction") as gateway:
        mapped(gateway, request_bundle(request_id=request_id), request_id)
        with gateway.database.transaction() as tx:
            requests.save_identity(tx, request_id, {"nhsNumber": "9990001006"})
        send(gateway.parts, request_id, 0)
        found = events(gateway, providers=frozenset({"RZZ99"}))
        assert events(gateway, providers=frozenset({"RA1"})) == []
        assert found == events(gateway, reference=f"{REQUEST_ID}|{request_id}")
        assert found == events(gateway, reference=f"{NHS_NUMBER}|9990001006")
    assert codes(found) == ["epr-sent", "create"]
    sent, created = found
    assert [a["network"]["address"] for a in sent["agent"]][1] == epr
    named = [e["what"].get("reference", "") for e in created["entity"]]
    assert len([name for name in named if name]) == 5
    assert any("/_history/1" in name for name in named)


def test_what_was_not_taken_and_what_nobody_knows_is_recorded(
    tmp_path: Path, no_messages: str
) -> None:
    refused = str(uuid.uuid4())
    with gateway_to(tmp_path / "a", no_messages, "message") as gateway:
        mapped(gateway, request_bundle(request_id=refused), refused)
        send(gateway.parts, refused, 0)
        (*_, last) = events(gateway)
    assert (codes([last]), last["outcome"]) == (["epr-not-taken"], "4")
    away = str(uuid.uuid4())
    with gateway_to(tmp_path / "b", "http://127.0.0.1:9/fhir", "transaction") as gateway:
        mapped(gateway, request_bundle(request_id=away), away)
        send(gateway.parts, away, 0)
        (*_, last) = events(gateway)
    assert codes([last]) == ["epr-not-taken"]


class NoEngine:
    """Takes work and does none."""

    def enqueue(self, *_: object) -> None:
        """See Engine."""


def test_who_replayed_or_resolved_a_request_is_recorded(tmp_path: Path, no_messages: str) -> None:
    engine = NoEngine()
    for act in ("replay", "resolve"):
        request_id = str(uuid.uuid4())
        with gateway_to(tmp_path / act, no_messages, "message") as gateway:
            mapped(gateway, request_bundle(request_id=request_id), request_id)
            send(gateway.parts, request_id, 0)
            said = {"who": "ada@w", "why": "asked the ward"}
            if act == "replay":
                assert replay.replay(gateway.parts, engine, request_id, remap=False, **said)
            else:
                assert replay.resolve(gateway.parts, engine, request_id, "Task/9", **said)
            (event,) = events(gateway, agent="ada@w")
        assert codes([event]) == [act]
        assert event["entity"][0]["what"]["identifier"]["value"] == request_id
        seen = "seen by a person Task/9: " if act == "resolve" else ""
        assert event["outcomeDesc"] == f"{seen}asked the ward"
