"""Faults are switched on and off over HTTP, and change what they say and nothing else.

That each is noticed is the mutation check (tests/conformance/test_mutation.py).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import httpx
import pytest

from fhir_gateway.errors import Refused
from fhir_gateway.sandbox.epr.app import create_app
from fhir_gateway.sandbox.epr.injected.catalogue import FAULTS
from tests.sandbox.epr.request_bundle import patient


@pytest.fixture
def switched(epr: httpx.Client) -> Iterator[httpx.Client]:
    yield epr
    epr.delete("/faults")


def created(client: httpx.Client) -> httpx.Response:
    return client.post("/fhir/Patient", json=patient("9990000034"))


def test_every_fault_says_in_a_sentence_what_it_does() -> None:
    assert len(FAULTS) > 40
    for name, known in FAULTS.items():
        assert name == known.name
        assert known.sentence.endswith(".")
        assert known.sentence[0].isupper()


def test_no_fault_is_on_unless_asked_for(epr: httpx.Client) -> None:
    listed = epr.get("/faults").json()
    assert [one["name"] for one in listed] == list(FAULTS)
    assert not any(one["on"] for one in listed)


def test_a_fault_is_on_until_it_is_switched_off(switched: httpx.Client) -> None:
    assert switched.put("/faults/create-answers-200").status_code == 204
    assert created(switched).status_code == 200
    assert switched.delete("/faults/create-answers-200").status_code == 204
    assert created(switched).status_code == 201


def test_several_faults_at_once(switched: httpx.Client) -> None:
    switched.put("/faults/create-answers-200")
    switched.put("/faults/missing-etag")
    answer = created(switched)
    assert answer.status_code == 200
    assert "etag" not in answer.headers
    switched.delete("/faults")
    assert not any(one["on"] for one in switched.get("/faults").json())


def test_an_unknown_fault_is_an_error_that_names_the_known(epr: httpx.Client) -> None:
    answer = epr.put("/faults/eats-lunch")
    assert answer.status_code == 404
    assert "wrong-location" in answer.json()["error"]
    assert epr.delete("/faults/eats-lunch").status_code == 404
    with pytest.raises(Refused, match="eats-lunch"):
        create_app(faults=["eats-lunch"])


def test_a_fault_can_be_on_from_the_start(start) -> None:  # type: ignore[no-untyped-def]
    with start(faults=["missing-location"]) as client:
        assert "location" not in created(client).headers


@pytest.mark.parametrize("name", FAULTS)
def test_the_server_never_breaks_under_a_fault(switched: httpx.Client, name: str) -> None:
    """A fault is a wrong answer, not an accident: only those that say so answer 500."""
    switched.put(f"/faults/{name}")
    key = f"Patient/{uuid.uuid4()}"
    answers = [
        switched.get("/fhir/metadata"),
        created(switched),
        switched.get("/fhir/Patient?identifier=a|b"),
        switched.get(f"/fhir/{key}"),
        switched.put(f"/fhir/{key}", json={**patient(), "id": key.partition("/")[2]}),
        switched.delete(f"/fhir/{key}"),
        switched.post("/fhir/Patient", content=b"{"),
        switched.post("/fhir", json={"resourceType": "Bundle", "type": "transaction"}),
        switched.post("/fhir", json={"resourceType": "Bundle", "type": "nonsense"}),
    ]
    broken = [answer for answer in answers if answer.status_code == 500]
    assert bool(broken) == (name in ("metadata-fails", "malformed-is-500"))
    for answer in answers:
        assert int(answer.headers.get("content-length", 0)) == len(answer.content)
