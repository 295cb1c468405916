"""Every access is recorded, sealed, before its answer leaves; or it does not leave."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from fhir_gateway.fhir import check
from fhir_gateway.fhir.types import Resource
from fhir_gateway.rest.app import BASE
from fhir_gateway.rest.auditor import Auditor
from fhir_gateway.rest.gatekeeper import Caller
from fhir_gateway.rest.registry import Call
from fhir_gateway.rest.settings import ApiLimits
from fhir_gateway.store.access_tables import AuditEventRow, AuditKeyRow
from fhir_gateway.store.database import Database
from tests.rest.clients_world import (
    BASE_URL,
    CANARY,
    OBSERVER,
    World,
    assertion,
    gatekeeper,
    now,
    world,
)


@pytest.fixture
def here(either: Database) -> Iterator[World]:
    with world(either) as opened:
        yield opened


def only(here: World, **query: Any) -> Resource:
    (event,) = here.audit(types=["rest"], **query)
    assert check.problems(event) == []
    return event


def entity(event: Resource, code: str, role: str = "") -> dict[str, Any]:
    (found,) = [
        e
        for e in event["entity"]
        if e["type"]["code"] == code and (not role or e.get("role", {}).get("code") == role)
    ]
    return dict(found)


def test_a_read_is_recorded_as_balp_has_it(here: World) -> None:
    client = here.client("Portal")
    token = here.token(client)
    here.get("Task/a", token, **{"X-Request-Id": "req-1"})
    event = only(here)
    assert event["meta"]["profile"] == [
        "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead"
    ]
    assert (event["subtype"][0]["code"], event["action"], event["outcome"]) == ("read", "R", "0")
    reader, server = event["agent"]
    assert reader["type"]["coding"][0]["code"] == "110152"
    assert reader["who"] == {
        "identifier": {
            "system": "https://w3id.org/fhir-gateway/Id/client",
            "value": client.id,
        },
        "display": "Portal",
    }
    assert reader["network"] == {"address": "127.0.0.1", "type": "2"}
    assert server["type"]["coding"][0]["code"] == "110153"
    assert server["network"]["address"] == BASE_URL
    assert event["source"]["observer"]["display"] == OBSERVER
    assert entity(event, "1")["what"] == {"reference": "Patient/pa"}
    assert entity(event, "2")["what"] == {"reference": "Task/a/_history/1"}
    assert entity(event, "XrequestId")["what"]["identifier"]["value"] == "req-1"


def test_a_search_is_recorded_with_what_was_asked_also_in_a_form(here: World) -> None:
    token = here.token(here.client())
    here.get("Task?status=requested&_x=%3Cx%3E", token)
    event = only(here)
    assert (event["subtype"][0]["code"], event["action"]) == ("search-type", "E")
    asked = base64.b64decode(entity(event, "2", "24")["query"]).decode()
    assert asked == f"GET {BASE}/Task?status=requested&_x=%3Cx%3E"
    assert event["meta"]["profile"][0].endswith("IHE.BasicAudit.PatientQuery")
    here.http.post(
        f"{BASE}/Task/_search",
        data={"patient.name": CANARY},
        headers={"Authorization": f"Bearer {token}"},
    )
    (newest, _) = here.audit(types=["rest"])
    asked = base64.b64decode(entity(newest, "2", "24")["query"]).decode()
    assert CANARY in asked


def test_a_create_says_what_it_became(here: World) -> None:
    token = here.token(here.client())
    answer = here.http.post(
        f"{BASE}/Task",
        json={"resourceType": "Task", "for": {"reference": "Patient/pz"}},
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"},
    )
    assert answer.status_code == 201
    event = only(here)
    assert event["meta"]["profile"][0].endswith("IHE.BasicAudit.PatientCreate")
    assert event["agent"][0]["type"]["coding"][0]["code"] == "110153"
    assert entity(event, "2")["what"] == {"reference": "Task/new"}
    assert entity(event, "1")["what"] == {"reference": "Patient/pz"}


def test_refusals_are_recorded_too(here: World) -> None:
    client = here.client(scopes="system/Task.r")
    token = here.token(client)
    here.get("Task", token)
    here.get("Task/zzz", token)
    here.get("Patient/9990001111", token)
    here.get("Task/a", "no-such-token")
    nowhere, missing, forbidden = here.audit(agent=client.id, types=["rest"])
    assert forbidden["outcome"] == missing["outcome"] == nowhere["outcome"] == "4"
    assert forbidden["outcomeDesc"].startswith("403")
    assert "profile" not in forbidden["meta"]
    assert missing["outcomeDesc"].startswith("404")
    (bad,) = here.audit(subtypes=["110122"])
    assert bad["agent"][0]["network"]["address"] == "127.0.0.1"
    assert check.problems(bad) == []


def test_tokens_are_recorded_whether_given_or_not(here: World) -> None:
    client = here.client()
    here.token(client, "system/Task.r")
    here.ask(assertion(client, aud="https://elsewhere.example"))
    here.ask("nonsense")
    unknown, refused, given = here.audit(subtypes=["ITI-71"])
    assert (given["outcome"], refused["outcome"], unknown["outcome"]) == ("0", "4", "4")
    assert "audience" in refused["outcomeDesc"]
    asked = base64.b64decode(given["entity"][0]["query"]).decode()
    assert "scope=system%2FTask.r" in asked
    assert "assertion=" not in asked
    assert all(check.problems(event) == [] for event in (given, refused, unknown))


def test_nothing_of_a_patient_is_in_the_clear(
    here: World, capsys: pytest.CaptureFixture[str]
) -> None:
    token = here.token(here.client())
    here.get("Task/a", token)
    here.get(f"Task?subject:Patient.name={CANARY}&identifier=9990001111", token)
    here.get("Patient/9990001111", token)
    with here.database.engine.connect() as connection:
        rows = [
            str(row)
            for table in ("audit_event", "audit_key", "counter")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    assert rows
    said = "".join(capsys.readouterr())
    for canary in (CANARY, "9990001111", "Patient/pa", token):
        assert not any(canary in row for row in rows), canary
        assert canary not in said


def test_what_cannot_be_recorded_does_not_happen(here: World) -> None:
    token = here.token(here.client())
    with here.database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_event RENAME TO audit_gone"))
    answer = here.get("Task/a", token)
    assert answer.status_code == 500
    assert CANARY not in answer.text


def test_a_provider_reads_events_about_its_own_data_alone(here: World) -> None:
    one, two = here.client(providers=["RA1"]), here.client(providers=["RB2"])
    both = here.client(providers=["RA1", "RB2"])
    here.get("Task/a", here.token(one))
    here.get("Task/b", here.token(two))
    here.get("Task/a", here.token(both))
    here.get("Task/zzz", here.token(both))  # nobody can say whose data that would be
    here.get("Task", here.token(both))
    agents = {e["agent"][0]["who"]["identifier"]["value"] for e in here.audit(
        providers=frozenset({"RA1"}), types=["rest"]
    )}  # fmt: skip
    assert agents == {one.id, both.id}
    assert len(here.audit(providers=frozenset({"RA1"}), types=["rest"])) == 3
    assert here.audit(providers=frozenset(), types=["rest"]) == []
    assert len(here.audit(types=["rest"])) == 5


def test_events_are_found_by_what_they_are_about(here: World) -> None:
    token = here.token(here.client())
    here.get("Task/a", token)
    here.get("Task/zzz", token)
    assert len(here.audit(reference="Task/a")) == 1
    assert len(here.audit(reference="Patient/pa")) == 1
    assert here.audit(reference="Task/b") == []


def test_of_a_flood_one_event_a_minute_is_kept(either: Database) -> None:
    with world(either, limits=ApiLimits(per_client=2)) as here:
        token = here.token(here.client())
        for _ in range(8):
            here.get("Task/a", token)
        events = here.audit(types=["rest"])
    assert [event["outcome"] for event in events] == ["4", "0", "0"]


def test_a_token_that_was_not_needed_is_recorded_all_the_same(here: World) -> None:
    client = here.client()
    token = here.token(client)
    here.get("Questionnaire", token)
    here.get("metadata", token)
    here.get("Questionnaire", "guess")
    assert len(here.audit(agent=client.id, types=["rest"])) == 1
    assert len(here.audit(subtypes=["110122"])) == 1


def test_a_write_and_its_record_are_one_transaction(here: World) -> None:
    from starlette.requests import Request

    from fhir_gateway.audit.event import Party
    from fhir_gateway.rest.access import Access

    auditor = Auditor(
        here.database,
        gatekeeper(here.database),
        base_url=BASE_URL,
        observer=OBSERVER,
        clock=now,
    )
    request = Request(
        {"type": "http", "method": "PUT", "path": "/x", "query_string": b"", "headers": []}
    )
    access = Access("c1", frozenset({"RA1"}))
    request.state.caller = Caller(Party("c1"), access)
    call = Call(request, BASE_URL, "update", "Task", "a", access=access)

    def fail() -> None:
        with here.database.transaction() as tx:
            auditor.keep(tx, call, 200, None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert here.audit() == []
    auditor(call, 500, None)
    with here.database.transaction() as tx:
        auditor.keep(tx, call, 200, None)
    auditor(call, 200, None)
    assert [event["outcome"] for event in here.audit()] == ["0", "8"]


def test_rows_hold_what_they_are_found_by(here: World) -> None:
    token = here.token(here.client())
    here.get("Task/a", token)
    with here.database.transaction() as tx:
        row = tx.session.query(AuditEventRow).filter_by(type="rest").one()
        keys = tx.session.query(AuditKeyRow).filter_by(event_id=row.id).all()
    assert {key.kind for key in keys} == {"provider", "entity"}
    assert {key.value for key in keys if key.kind == "provider"} == {"RA1"}


def test_a_provider_reads_the_audit_over_the_api_and_that_is_recorded_too(here: World) -> None:
    mine, theirs = here.client(providers=["RA1"]), here.client(providers=["RB2"])
    token, other = here.token(mine), here.token(theirs)
    here.get("Task/a", token)
    here.get("Task/b", other)

    def found(query: str, shown: str = token) -> list[Resource]:
        answer = here.get(f"AuditEvent?{query}", shown)
        assert answer.status_code == 200, answer.text
        return [entry["resource"] for entry in answer.json().get("entry", [])]

    (read,) = found("patient=Patient/pa")
    assert entity(read, "1")["what"] == {"reference": "Patient/pa"}
    assert found("entity=Task/a&subtype=read&action=R&outcome=0&type=rest") == [read]
    assert found("entity=Task/b") == []
    assert here.get(f"AuditEvent/{read['id']}", token).json() == read
    assert here.get(f"AuditEvent/{read['id']}", other).status_code == 404
    assert found("patient=Patient/pa", other) == []
    of_me = found(f"agent:identifier=https://w3id.org/fhir-gateway/Id/client|{mine.id}")
    assert read in of_me
    assert {e["agent"][0]["who"]["identifier"]["value"] for e in of_me} == {mine.id}
    assert found("subtype=search-type&_sort=date")[0]["recorded"] >= read["recorded"]


def test_the_audit_is_searched_by_date_and_paged(here: World) -> None:
    token = here.token(here.client())
    for _ in range(5):
        here.get("Task/a", token)
    page = here.get("AuditEvent?subtype=read&_count=2&date=ge2020-01-01", token).json()
    assert page["total"] == 5
    seen = [entry["resource"]["id"] for entry in page["entry"]]
    here.get("Task/a", token)  # what arrives meanwhile is on no later page
    while links := [link["url"] for link in page["link"] if link["relation"] == "next"]:
        page = here.get(links[0].removeprefix(f"{BASE_URL}/"), token).json()
        seen += [entry["resource"]["id"] for entry in page["entry"]]
    assert len(seen) == len(set(seen)) == 5
    assert here.get("AuditEvent?date=lt2020-01-01", token).json()["total"] == 0
    assert here.get("AuditEvent?date=nonsense", token).status_code == 400
    for odd in (
        "_id=%00",
        "type=%00",
        "agent:identifier=%00",
        "entity:identifier=a%00b",
        "patient=!",
        "entity=Task",
        "date=99999",
        "date=ge",
        "_count=x",
        "_count=-1",
        "_id=" + "a," * 501,
        "&".join(["action=R"] * 50),
    ):
        assert here.get(f"AuditEvent?{odd}", token).status_code == 400, odd
    for unserved in ("action:not=R", "date:missing=true", "agent:text=x", "date=2020,2021"):
        assert here.get(f"AuditEvent?{unserved}", token).status_code == 400, unserved
    nobody = here.get("AuditEvent?agent=a&agent=b", token).json()
    assert nobody["total"] == 0
    for harmless in ("date=9999", "_sort=type", "_id=", "type=rest|x|y", "_cursor=", "date:x=1"):
        assert here.get(f"AuditEvent?{harmless}", token).status_code in (200, 400, 410), harmless
    strict = {"Prefer": "handling=strict"}
    assert here.get("AuditEvent?colour=red", token, **strict).status_code == 400
    assert here.get("AuditEvent?colour=red", token).status_code == 200
