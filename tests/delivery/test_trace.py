"""The step `trace` with the sandbox PDS and EPR, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from fhir_gateway.delivery.trace import PATIENCE
from fhir_gateway.errors import Refused
from fhir_gateway.sandbox.pds.personas import person
from fhir_gateway.store import neighbours, requests, standing
from fhir_gateway.store.requests import RequestState
from tests.delivery.traced import Delivery, delivery


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delivery]:
    with delivery(tmp_path_factory.mktemp("delivery")) as running:
        yield running


@pytest.fixture
def running(shared: Delivery) -> Iterator[Delivery]:
    shared.ahead = timedelta()
    yield shared
    httpx.delete(f"{shared.pds}/outage")
    with shared.gateway.database.transaction() as tx:
        for row in tx.session.query(neighbours.NeighbourRow):
            neighbours.succeeded(tx, row.key)


#: What each persona's own request, proved by code, ends with.
ENDS = {
    "typical": ("verified", "01", "matched"),
    "typical_man": ("verified", "01", "matched"),
    "apostrophe": ("verified", "01", "matched"),
    "hyphenated": ("verified", "01", "matched"),
    "married": ("verified", "01", "matched"),
    "moved": ("verified", "01", "matched"),
    "death_withdrawn": ("verified", "01", "matched"),
    "child": ("probable", "03", "not-proven"),
    "namesake_a": ("none", "04", "several"),
    "restricted": ("none", "04", "not-found"),
    "deceased": ("conflicting", "05", "deceased"),
    "invalidated": ("none", "04", "not-found"),
    "no_phone": ("probable", "03", "not-proven"),
    "expired_phone": ("probable", "03", "not-proven"),
    "minimal": ("none", "04", "not-found"),
}


@pytest.mark.parametrize("key", ENDS)
def test_each_persona_ends_as_written(running: Delivery, key: str) -> None:
    request = running.accept(person(key))
    assert running.trace(request) is None
    found = running.identity(request)
    assert (found["level"], found["status"], found["outcome"]) == ENDS[key]
    assert found["matched"] is (found["level"] == "verified")
    assert running.request(request).state is RequestState.TRACED


NUMBERED = {
    "typical": ("verified", "01", "matched"),
    "superseded_old": ("probable", "02", "not-proven"),
    "restricted": ("probable", "02", "restricted"),
    "deceased": ("conflicting", "05", "deceased"),
    "invalidated": ("conflicting", "05", "invalidated"),
    "minimal": ("conflicting", "05", "number-conflict"),
}


@pytest.mark.parametrize("key", NUMBERED)
def test_with_an_nhs_number_the_record_is_read(running: Delivery, key: str) -> None:
    request = running.accept(person(key), **{"patient-nhs-number": person(key).nhs_number})
    running.trace(request)
    found = running.identity(request)
    assert (found["level"], found["status"], found["outcome"]) == NUMBERED[key]
    assert found["steps"] == ["read"]


@pytest.mark.hazard("H03")
def test_a_superseded_number_is_replaced_and_is_nowhere_any_more(running: Delivery) -> None:
    old, new = person("superseded_old"), person("superseded_new")
    request = running.accept(
        new,
        **{"patient-nhs-number": old.nhs_number, "patient-postcode": old.postcode},
    )
    running.trace(request)
    found = running.identity(request)
    assert (found["outcome"], found["nhsNumber"]) == ("matched-superseded", new.nhs_number)
    assert old.nhs_number not in json.dumps(found)


@pytest.mark.parametrize(
    ("key", "changes", "steps"),
    [
        ("typical", {}, ["precise"]),
        ("typical", {"patient-given": "Pri"}, ["precise"]),
        ("married", {"patient-family": "Malik"}, ["precise", "history"]),
        ("moved", {"patient-postcode": "M14 5RB"}, ["precise", "history"]),
        ("typical", {"patient-family": "Nobody"}, ["precise", "wildcard", "fuzzy"]),
        ("namesake_a", {}, ["precise"]),
    ],
)
def test_pds_is_asked_no_more_than_it_must_be(
    running: Delivery, key: str, changes: dict[str, str], steps: list[str]
) -> None:
    request = running.accept(person(key), **changes)
    running.trace(request)
    assert running.identity(request)["steps"] == steps


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("married", {"patient-family": "Malik"}),
        ("moved", {"patient-postcode": "M14 5RB"}),
        ("typical", {"patient-given": "Sharma", "patient-family": "Priya"}),
        ("typical", {"patient-postcode": "ls62ad"}),
        ("apostrophe", {"patient-family": "oconnor"}),
    ],
)
def test_one_difference_is_forgiven(running: Delivery, key: str, changes: dict[str, str]) -> None:
    request = running.accept(person(key), **changes)
    running.trace(request)
    assert running.identity(request)["matched"], running.identity(request)


@pytest.mark.hazard("H03")
def test_an_impostor_with_a_phone_of_their_own_is_not_matched(running: Delivery) -> None:
    request = running.accept(person("typical"), **{"patient-mobile": "07700 900111"})
    running.trace(request)
    found = running.identity(request)
    assert (found["level"], found["matched"]) == ("probable", False)
    assert "record" not in found
    assert person("typical").nhs_number not in json.dumps(found)


def test_without_the_code_nobody_is_matched(running: Delivery) -> None:
    request = running.accept(person("typical"), code=False)
    running.trace(request)
    assert running.identity(request)["outcome"] == "not-proven"


def test_staff_see_close_candidates_of_the_epr_and_none_of_pds(running: Delivery) -> None:
    request = running.accept(person("typical"), code=False)
    running.trace(request)
    candidates = running.identity(request)["candidates"]
    assert [one["text"] for one in candidates] == [
        "Agrees: family name, given name, date of birth, postcode",
        "Agrees: family name, date of birth",
    ]
    assert all(one["reference"].startswith("Patient/") for one in candidates)


def test_a_matched_request_needs_no_candidates(running: Delivery) -> None:
    request = running.accept(person("typical"))
    running.trace(request)
    assert "candidates" not in running.identity(request)


def test_an_epr_that_does_not_answer_keeps_nobody_waiting(running: Delivery) -> None:
    def broken(_base: str) -> Any:
        from fhir_gateway.epr.client import EprClient

        return EprClient("http://127.0.0.1:9/fhir")

    request = running.accept(person("typical"), code=False)
    eprs = running.gateway.parts.eprs
    original = eprs.at
    eprs.at = broken  # type: ignore[method-assign]
    try:
        assert running.trace(request) is None
    finally:
        eprs.at = original  # type: ignore[method-assign]
    assert "candidates" not in running.identity(request)


def test_while_pds_is_down_the_request_waits_and_then_goes_on_unmatched(running: Delivery) -> None:
    httpx.put(f"{running.pds}/outage", json={"code": "SERVICE_UNAVAILABLE"})
    request = running.accept(person("typical"))
    wait = running.trace(request)
    assert isinstance(wait, float)
    assert wait >= 5
    assert running.request(request).state is RequestState.ACCEPTED
    running.ahead = PATIENCE + timedelta(seconds=1)
    assert running.trace(request, 9) is None
    found = running.identity(request)
    assert (found["level"], found["status"], found["outcome"]) == ("none", "03", "unreachable")
    with running.gateway.database.reading() as tx:
        # What the alarm counts.
        long_ago = running.gateway.parts.clock() - timedelta(days=1)
        assert standing.traced_as(tx, ("unreachable",), long_ago) == {"rheumatology": 1}
        assert standing.traced_as(tx, ("refused",), long_ago) == {}


def test_credentials_that_pds_refuses_hold_requests_up_and_match_nobody_to_nothing(
    running: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are wrong for all patients, and mended for all: a quarter of an hour is left for it."""

    def refused(*_: object, **__: object) -> None:
        raise Refused("PDS answered 401 (ACCESS_DENIED)", code="pds-401")

    monkeypatch.setattr(running.gateway.parts.pds, "search", refused)
    request = running.accept(person("typical"))
    wait = running.trace(request)
    assert isinstance(wait, float)
    assert wait >= 60
    monkeypatch.undo()
    assert running.trace(request, 1) is None
    assert running.identity(request)["outcome"] == "matched"


def test_credentials_that_pds_refuses_for_long_leave_the_request_for_staff(
    running: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise Refused("PDS answered 401 (ACCESS_DENIED)", code="pds-401")

    monkeypatch.setattr(running.gateway.parts.pds, "search", refused)
    request = running.accept(person("typical"))
    running.ahead = PATIENCE + timedelta(seconds=1)
    assert running.trace(request, 9) is None
    found = running.identity(request)
    assert (found["status"], found["outcome"]) == ("03", "unreachable")


def test_a_refusal_of_the_question_leaves_the_request_for_staff(running: Delivery) -> None:
    from fhir_gateway.pds.client import PdsClient

    broken = PdsClient(f"{running.pds}/nowhere")
    parts = running.gateway.parts
    original = parts.pds
    object.__setattr__(parts, "pds", broken)
    try:
        request = running.accept(person("typical"))
        running.trace(request)
    finally:
        object.__setattr__(parts, "pds", original)
        broken.close()
    assert running.identity(request)["outcome"] == "refused"
    assert running.identity(request)["status"] == "03"


def test_the_event_names_level_and_outcome_and_nothing_else(running: Delivery) -> None:
    request = running.accept(person("typical"))
    running.trace(request)
    with running.gateway.database.transaction() as tx:
        [_, event] = requests.events(tx, request)
    assert (event.state, event.detail) == ("traced", "verified (matched)")


def test_the_request_id_of_a_question_is_the_same_each_time(running: Delivery) -> None:
    """PDS can then tell a repeat from a new question."""
    sent: list[str] = []
    parts = running.gateway.parts
    original = parts.pds.search

    def noting(params: Any, **given: Any) -> Any:
        sent.append(str(given["request_id"]))
        return original(params, **given)

    parts.pds.search = noting  # type: ignore[method-assign]
    try:
        httpx.put(f"{running.pds}/outage", json={"code": "SERVICE_UNAVAILABLE", "answers": 1})
        request = running.accept(person("typical"))
        running.trace(request)
        running.trace(request, 1)
    finally:
        parts.pds.search = original  # type: ignore[method-assign]
    assert len(sent) == 2
    assert len(set(sent)) == 1
