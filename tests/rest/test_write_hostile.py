"""Hostile bodies at everything that writes or operates: an OperationOutcome, not a failure; no word
of a patient is logged or kept in the clear."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text

from fhir_gateway.fhir.types import Resource
from tests.rest.test_invite import request as invitation
from tests.rest.test_operations import patient
from tests.rest.test_publish import questionnaire
from tests.rest.write_world import FHIR, OURS, Writing, service_bundle

SUBSCRIPTION = {
    "resourceType": "Subscription",
    "status": "requested",
    "reason": "x",
    "criteria": "https://w3id.org/fhir-gateway/SubscriptionTopic/new-request",
    "channel": {"type": "rest-hook", "endpoint": "http://127.0.0.1:9/x"},
}
#: What is put in the place of any value.
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    10**400,
    1.5,
    "",
    " ",
    "\u202e",
    "a" * 70_000,
    [],
    [None],
    [[]],
    {},
    {"x": {}},
    [{"resourceType": "Patient"}],
    {"resourceType": "Bundle", "entry": [None]},
    "#",
    "urn:uuid:",
    "2026-99-99",
    "../../etc/passwd",
    "%s%n{0}",
    "'; DROP TABLE request; --",
]


def mutated(resource: Resource, chance: random.Random) -> Any:
    """The resource with one value, somewhere, replaced by something odd, or one name by another."""
    found = copy.deepcopy(resource)
    places: list[tuple[Any, Any]] = []
    pending: list[Any] = [found]
    while pending:
        current = pending.pop()
        keys = list(current) if isinstance(current, dict) else range(len(current))
        for key in keys:
            places.append((current, key))
            if isinstance(current[key], dict | list):
                pending.append(current[key])
    holder, key = chance.choice(places)
    if isinstance(holder, dict) and chance.random() < 0.2:
        holder[chance.choice(["x", "_status", "extension", "contained", "id"])] = holder.pop(key)
    else:
        holder[key] = copy.deepcopy(chance.choice(ODD))
    return found


def bodies(world: Writing) -> dict[str, Resource]:
    response = world.response("fuzz")
    match = {"resourceType": "Parameters", "parameter": [
        {"name": "resource", "resource": patient("typical")},
        {"name": "count", "valueInteger": 1},
    ]}  # fmt: skip
    canonical = "https://w3id.org/fhir-gateway/Questionnaire/pifu-medical"
    populate = {"resourceType": "Parameters", "parameter": [
        {"name": "canonical", "valueCanonical": canonical},
        {"name": "context", "part": [
            {"name": "name", "valueString": "patient"},
            {"name": "content", "resource": patient("typical")},
        ]},
    ]}  # fmt: skip
    lookup = {"resourceType": "Parameters", "parameter": [
        {"name": "coding", "valueCoding": {"system": "s", "code": "c"}},
        {"name": "url", "valueUri": "https://w3id.org/fhir-gateway/ValueSet/who-for"},
    ]}  # fmt: skip
    batch = {"resourceType": "Bundle", "type": "batch", "entry": [
        {"fullUrl": "urn:uuid:a", "resource": response,
         "request": {"method": "POST", "url": "QuestionnaireResponse", "ifNoneExist": "a=b"}},
        {"request": {"method": "GET", "url": "Task?status=x"}},
    ]}  # fmt: skip
    return {
        "QuestionnaireResponse": response,
        "CommunicationRequest": invitation(),
        "CommunicationRequest/$invite?batch=fuzz": {
            "resourceType": "Bundle", "type": "collection", "entry": [{"resource": invitation()}],
        },
        "Subscription": SUBSCRIPTION,
        "Questionnaire": questionnaire(),
        "HealthcareService": service_bundle(OURS, "podiatry"),
        "Patient/$match": match,
        "Questionnaire/$populate": populate,
        "Questionnaire/$assemble": questionnaire(),
        "QuestionnaireResponse/$validate": response,
        "$validate": questionnaire(),
        "CodeSystem/$lookup": lookup,
        "ValueSet/$validate-code": lookup,
        "ValueSet/$expand": {
            "resourceType": "ValueSet", "status": "draft",
            "compose": {"include": [{"system": "s", "concept": [{"code": "c"}]}]},
        },
        "": batch,
    }  # fmt: skip


ROUNDS = 25


@pytest.mark.parametrize("seed", range(3))
def test_no_body_makes_it_fail(world: Writing, seed: int) -> None:
    chance = random.Random(seed)
    for path, body in bodies(world).items():
        for number in range(ROUNDS if path not in ("Patient/$match",) else 5):
            sent = mutated(body, chance)
            content = json.dumps(sent, ensure_ascii=False).encode("utf-8", "surrogatepass")
            answer = world.call(
                "POST", path, content, provider="ALL", Content_Type="application/fhir+json"
            )
            where = (path, seed, number, content[:3000])
            assert answer.status_code < 500 or answer.status_code == 503, (where, answer.text)
            if answer.content:
                assert answer.json()["resourceType"], where
            if path == "" and answer.status_code == 200:
                assert '"500 ' not in answer.text, (where, answer.text)


def test_no_change_of_a_task_makes_it_fail(world: Writing) -> None:
    chance = random.Random(9)
    task = world.task()
    patch = [{"op": "add", "path": "/note", "value": [{"text": "x"}]}]
    fhirpath = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
        {"name": "type", "valueCode": "add"},
        {"name": "path", "valueString": "Task"},
        {"name": "name", "valueString": "note"},
        {"name": "value", "part": [{"name": "text", "valueString": "x"}]},
    ]}]}  # fmt: skip
    kinds = (
        ("PUT", task, "application/fhir+json"),
        ("PATCH", {"a": patch}, "application/json-patch+json"),
        ("PATCH", fhirpath, "application/fhir+json"),
    )
    for method, body, kind in kinds:
        for _ in range(60):
            sent = mutated(body, chance)
            content = json.dumps(sent.get("a", sent) if kind.endswith("patch+json") else sent)
            answer = world.call(method, f"Task/{task['id']}", content.encode(), Content_Type=kind)
            assert answer.status_code < 500, (method, content, answer.text)
    assert world.get(f"Task/{task['id']}").status_code == 200


CANARY = "Zzcanary"


def test_nothing_of_a_patient_is_logged_or_kept_in_the_clear(
    world: Writing, capfd: pytest.CaptureFixture[str]
) -> None:
    said = json.dumps(world.response("canary")).replace("Priya", CANARY).replace("Sharma", CANARY)
    response = json.loads(said)
    response["text"] = {"status": "generated", "div": f"<div>{CANARY}</div>"}
    wrong = {**patient("typical"), "name": [{"family": CANARY, "given": [CANARY]}]}
    task = world.task()
    calls = [
        ("POST", "QuestionnaireResponse", response),
        ("POST", "QuestionnaireResponse", {**response, "item": response["item"][:2]}),
        ("POST", "Patient/$match", wrong),
        ("POST", "$validate", {**wrong, "birthDate": CANARY, "gender": CANARY}),
        ("POST", "CommunicationRequest", invitation(mobile="07700 900555", name=CANARY)),
        ("PUT", f"Task/{task['id']}", {**task, "note": [{"text": CANARY}]}),
        ("PUT", f"Task/{task['id']}", {**task, "status": CANARY}),
    ]
    for method, path, body in calls:
        answer = world.call(method, path, body)
        if answer.is_error:
            assert CANARY not in answer.text, (path, answer.text)
    out, err = capfd.readouterr()
    assert CANARY not in out + err
    assert "900555" not in out + err
    assert clear(world) == []


def clear(world: Writing) -> list[str]:
    """Where the canary, or a number, is in the database in the clear."""
    from fhir_gateway.store.tables import Base

    found = []
    with world.gateway.database.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(text(f'SELECT * FROM "{table.name}"')):
                if any(CANARY in str(value) or "900555" in str(value) for value in row):
                    found.append(table.name)
    return found


def test_nothing_that_the_description_allows_is_a_server_error(world: Writing) -> None:
    description = schemathesis.openapi.from_dict(world.get("openapi.json").json())
    token, base = world.token("ALL"), f"{world.http.base_url}{FHIR}"
    tried = 0
    for found in description.get_all_operations():
        operation = found.ok()
        if operation.method.upper() == "GET" and "$" not in operation.path:
            continue  # test_hostile.py tries what reads

        @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def try_one(case: schemathesis.Case) -> None:
            nonlocal tried
            tried += 1
            answer = case.call(base_url=base, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code < 500 or answer.status_code == 503, answer.text[:300]

        try_one()
    assert tried > 200
