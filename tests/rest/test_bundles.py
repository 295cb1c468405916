"""Bundles at the base: a batch by its entries, a transaction whole or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.fhir.types import Resource
from tests.rest.test_invite import fresh_mobile, request
from tests.rest.write_world import IDENTIFIERS, OURS, THEIRS, Writing


def bundle(kind: str, *entries: Resource) -> Resource:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def entry(method: str, url: str, resource: Resource | None = None, **asked: Any) -> Resource:
    found: Resource = {"request": {"method": method, "url": url, **asked}}
    return {**found, "resource": resource} if resource else found


def statuses(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [e["response"]["status"][:3] for e in answer.json()["entry"]]


def test_each_entry_of_a_batch_has_its_own_outcome(world: Writing) -> None:
    task = world.task()
    answer = world.post(
        "",
        bundle(
            "batch",
            entry("GET", f"Task/{task['id']}?_elements=status"),
            entry("GET", "Task?status=requested"),
            entry("GET", "Task/nowhere"),
            entry("POST", "QuestionnaireResponse", world.response("one")),
            entry("POST", "QuestionnaireResponse", world.response(item=[])),
            entry("PUT", f"Task/{task['id']}", {**task, "status": "accepted"}),
            entry("POST", "CommunicationRequest", request(mobile=fresh_mobile())),
            entry("DELETE", "Task/x"),
            entry("POST", "Patient/$match", task),
            {"request": {"method": "GET", "url": "https://example.org/Task"}},
            {},
        ),
    )
    expected = ["200", "200", "404", "201", "422", "200", "201", "405", "422", "400", "400"]
    assert statuses(answer) == expected
    entries = answer.json()["entry"]
    assert entries[0]["resource"]["id"] == task["id"]
    assert "description" not in entries[0]["resource"]
    assert entries[1]["resource"]["type"] == "searchset"
    assert entries[4]["response"]["outcome"]["issue"]
    assert "/_history/" in entries[3]["response"]["location"]


def test_an_entry_has_the_status_as_http_names_it_and_when_it_was_changed(world: Writing) -> None:
    task = world.task()
    gone = {"ifModifiedSince": "0001-01-01T00:00:00+14:00"}
    answer = world.post(
        "",
        bundle(
            "batch",
            entry("GET", f"Task/{task['id']}"),
            entry("GET", "Task/nowhere"),
            entry("GET", f"Task/{task['id']}", ifModifiedSince=task["meta"]["lastUpdated"]),
            entry("GET", f"Task/{task['id']}", **gone),
        ),
    )
    responses = [one["response"] for one in answer.json()["entry"]]
    lines = [response["status"] for response in responses]
    assert lines == ["200 OK", "404 Not Found", "304 Not Modified", "200 OK"]
    assert responses[0]["lastModified"] == task["meta"]["lastUpdated"]


def test_what_is_public_brings_along_what_the_client_may_see(world: Writing) -> None:
    made = world.post("QuestionnaireResponse", world.response()).json()
    url = made["questionnaire"].partition("|")[0]
    search = f"Questionnaire?url={url}&_revinclude=QuestionnaireResponse:questionnaire"

    def brought(provider: str) -> list[str]:
        answer = world.post("", bundle("batch", entry("GET", search)), provider=provider)
        (found,) = answer.json()["entry"]
        return [e["resource"]["id"] for e in found["resource"]["entry"]]

    assert made["id"] in brought(OURS)
    assert made["id"] not in brought(THEIRS)


def test_entries_are_authorised_each_by_itself(world: Writing) -> None:
    task = world.task()
    entries = bundle(
        "batch",
        entry("GET", f"Task/{task['id']}"),
        entry("PUT", f"Task/{task['id']}", {**task, "status": "accepted"}),
        entry("GET", "QuestionnaireResponse"),
    )
    reader = world.post("", entries, scopes="system/Task.rs")
    assert statuses(reader) == ["200", "403", "403"]
    assert statuses(world.post("", entries, provider=THEIRS)) == ["404", "404", "200"]
    assert world.post("", entries, provider=None).status_code == 401


def test_a_transaction_does_all(world: Writing) -> None:
    task = world.task()
    answer = world.post(
        "",
        bundle(
            "transaction",
            entry("GET", f"Task/{task['id']}"),
            entry("POST", "QuestionnaireResponse", world.response("one")),
            entry("PUT", f"Task/{task['id']}", {**task, "status": "accepted"}),
        ),
    )
    assert statuses(answer) == ["200", "201", "200"]
    # Reads come last (https://hl7.org/fhir/R4/http.html#trules).
    assert answer.json()["entry"][0]["resource"]["status"] == "accepted"
    assert world.requests() == 2


@pytest.mark.parametrize(
    "wrong",
    [
        entry("POST", "QuestionnaireResponse", {"resourceType": "QuestionnaireResponse"}),
        entry("PUT", "Task/nowhere", {"resourceType": "Task", "id": "nowhere"}),
        entry("POST", "CommunicationRequest", request()),
        entry("POST", "Patient", {"resourceType": "Patient"}),
        entry("GET", "Task/nowhere?x"),
    ],
)
def test_a_transaction_does_nothing_when_one_entry_is_wrong(
    world: Writing, wrong: Resource
) -> None:
    task = world.task()
    if "GET" in wrong["request"]["method"]:
        wrong = entry("PUT", f"Task/{task['id']}", {**task, "status": "nonsense"})
    answer = world.post(
        "",
        bundle(
            "transaction",
            entry("POST", "QuestionnaireResponse", world.response("one")),
            entry("PUT", f"Task/{task['id']}", {**task, "status": "accepted"}),
            wrong,
        ),
    )
    assert answer.status_code >= 400
    assert "Bundle.entry[2]" in answer.text
    assert world.requests() == 1
    assert world.get(f"Task/{task['id']}").json()["status"] == "requested"


def test_a_conflict_while_writing_undoes_what_was_written(world: Writing) -> None:
    task = world.task()
    changed = {**task, "status": "accepted"}
    answer = world.post(
        "",
        bundle(
            "transaction",
            entry("POST", "QuestionnaireResponse", world.response("one")),
            entry("PUT", f"Task/{task['id']}", changed),
            entry("PUT", f"Task/{task['id']}", {**task, "status": "received"}),
        ),
    )
    assert answer.status_code == 412
    assert world.requests() == 1


def test_what_a_transaction_reads_is_told_when_it_is_written(world: Writing) -> None:
    task = world.task()
    known = f'W/"{task["meta"]["versionId"]}"'
    answer = world.post(
        "",
        bundle(
            "transaction",
            entry("GET", "Task/nowhere"),
            entry("POST", "QuestionnaireResponse", world.response("one")),
            entry("GET", f"Task/{task['id']}", ifNoneMatch=known),
        ),
    )
    assert statuses(answer) == ["404", "201", "304"]
    assert world.requests() == 2


def test_a_conditional_create_within_a_transaction(world: Writing) -> None:
    criteria = f"identifier={IDENTIFIERS}|one"
    once = bundle(
        "transaction",
        entry("POST", "QuestionnaireResponse", world.response("one"), ifNoneExist=criteria),
    )
    assert statuses(world.post("", once)) == ["201"]
    assert statuses(world.post("", once)) == ["200"]
    assert world.requests() == 1


def test_references_between_entries(world: Writing) -> None:
    def with_subject(reference: str, url: str) -> Resource:
        response = world.response(subject={"reference": reference})
        return {"fullUrl": url, **entry("POST", "QuestionnaireResponse", response)}

    nowhere = bundle("transaction", with_subject("urn:uuid:nowhere", "urn:uuid:a"))
    circle = bundle(
        "transaction",
        with_subject("urn:uuid:b", "urn:uuid:a"),
        with_subject("urn:uuid:a", "urn:uuid:b"),
    )
    for given in (nowhere, circle):
        assert world.post("", given).status_code == 422
    assert world.requests() == 0


def test_bundles_are_bounded_and_of_two_types(world: Writing) -> None:
    many = bundle("batch", *[entry("GET", "Task/x")] * 101)
    assert world.post("", many).status_code == 422
    assert world.post("", bundle("message")).status_code == 400
    assert world.post("", bundle("batch")).json() == {
        "resourceType": "Bundle",
        "type": "batch-response",
    }


def test_every_entry_is_in_the_audit(world: Writing) -> None:
    task = world.task()
    before = world.count("audit_event")
    given = bundle("batch", entry("GET", f"Task/{task['id']}"), entry("GET", "Task/nowhere"))
    world.post("", given)
    assert world.count("audit_event") >= before + 2
