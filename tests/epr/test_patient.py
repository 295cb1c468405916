"""Whose record a request joins."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.fhir.identifiers import NHS_NUMBER, identifier
from fhir_gateway.provider.endpoint import EprEndpoint, PatientPolicy, Strategy
from tests.epr.conftest import MakeAdapter
from tests.epr.scripted import CONTENT, Reply, Scripted, Seen, searchset
from tests.sandbox.epr.request_bundle import request_bundle

REQUEST = str(uuid.uuid4())
NUMBER = "9990000018"


def unguarded():  # type: ignore[no-untyped-def]
    return lambda: None


def person(name: str, system: str = NHS_NUMBER, **more: Any) -> dict[str, Any]:
    own = {"resourceType": "Patient", "id": name, "identifier": [identifier(system, NUMBER)]}
    return {**own, **more}


def having(epr: Scripted, *patients: dict[str, Any]) -> None:
    """Let the EPR have these Patients, and take every create."""

    def answer(seen: Seen) -> Reply | None:
        name = seen.path.split("?")[0].rsplit("/", 1)[-1]
        if seen.method == "POST":
            return Reply(201, None, {"Location": f"{name}/new"})
        if "/Patient?" in seen.path:
            return Reply(200, searchset(*patients), CONTENT)
        one = next((p for p in patients if seen.path.endswith(f"/Patient/{p['id']}")), None)
        return Reply(200, one, CONTENT) if one else None

    epr.answer = answer


def subject(epr: Scripted) -> Any:
    sent = next(s for s in epr.writes() if s.path.endswith("/ServiceRequest"))
    return sent.body["subject"]


def send(epr: Scripted, adapter: MakeAdapter, **options: Any) -> None:
    way = adapter(EprEndpoint(epr.base, Strategy.CREATES, **options))
    way.send(request_bundle(request_id=REQUEST), REQUEST, unguarded)


def test_one_is_used_by_its_local_id(epr: Scripted, adapter: MakeAdapter) -> None:
    having(epr, person("local-1"))
    send(epr, adapter)
    assert subject(epr) == {"reference": "Patient/local-1"}
    assert not [s for s in epr.writes() if s.path.endswith("/Patient")]


def test_many_need_a_person_whatever_the_policy(epr: Scripted, adapter: MakeAdapter) -> None:
    having(epr, person("one"), person("two"))
    for policy in PatientPolicy:
        with pytest.raises(Refused) as caught:
            send(epr, adapter, patient=policy)
        assert caught.value.code == "epr-patient-many"
    assert NUMBER not in str(caught.value)
    assert not epr.writes()


def test_none_is_created_with_the_condition_of_the_number(
    epr: Scripted, adapter: MakeAdapter
) -> None:
    having(epr)
    send(epr, adapter)
    assert epr.writes()[0].path.endswith("/Patient")
    assert epr.writes()[0].headers["if-none-exist"] == f"identifier={NHS_NUMBER}|{NUMBER}"


def test_one_that_was_merged_counts_as_the_one_it_was_merged_into(
    epr: Scripted, adapter: MakeAdapter
) -> None:
    link = [{"other": {"reference": "Patient/new"}, "type": "replaced-by"}]
    having(epr, person("old", active=False, link=link), person("new"))
    send(epr, adapter)
    assert subject(epr) == {"reference": "Patient/new"}


def test_a_server_that_passes_over_the_search_parameter_gives_nobody(
    epr: Scripted, adapter: MakeAdapter
) -> None:
    stranger = {"resourceType": "Patient", "id": "x", "identifier": [{"value": "1"}]}
    having(epr, stranger)
    for policy in PatientPolicy:
        with pytest.raises(Refused) as caught:
            send(epr, adapter, patient=policy)
        assert caught.value.code == "epr-search-ignored"
    assert not epr.writes()


def test_the_system_of_nhs_numbers_is_that_of_the_epr(epr: Scripted, adapter: MakeAdapter) -> None:
    own = "urn:oid:2.16.840.1.113883.2.1.4.1"
    having(epr, person("local", own))
    send(epr, adapter, nhs_number_system=own)
    assert subject(epr) == {"reference": "Patient/local"}
    assert any("urn%3Aoid%3A2.16.840" in s.path for s in epr.seen)


def test_a_search_that_fails_sends_nothing(epr: Scripted, adapter: MakeAdapter) -> None:
    epr.answer = lambda seen: Reply(500) if "/Patient?" in seen.path else None
    with pytest.raises(TryLater):
        send(epr, adapter)
    assert not epr.writes()


def test_an_unmatched_request_is_never_looked_up_by_number(
    epr: Scripted, adapter: MakeAdapter
) -> None:
    having(epr, person("local-1"))
    bundle = request_bundle(request_id=REQUEST, matched=False)
    adapter(EprEndpoint(epr.base, Strategy.CREATES)).send(bundle, REQUEST, unguarded)
    assert not [s for s in epr.seen if "/Patient?" in s.path]
    assert subject(epr) == {"reference": "Patient/new"}


def test_an_unmatched_request_waits_for_a_person_where_patients_are_required(
    epr: Scripted, adapter: MakeAdapter
) -> None:
    having(epr)
    bundle = request_bundle(request_id=REQUEST, matched=False)
    way = adapter(EprEndpoint(epr.base, Strategy.CREATES, patient=PatientPolicy.REQUIRE))
    with pytest.raises(Refused) as caught:
        way.send(bundle, REQUEST, unguarded)
    assert caught.value.code == "epr-patient-unmatched"
