"""Every address of the API, with a token of another provider, gives nothing of what is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from fhir_gateway.fhir.search.parameters import TYPES
from fhir_gateway.rest.stored import PUBLIC_TYPES
from fhir_gateway.store import resources
from fhir_gateway.store.database import Database
from tests.rest.clients_world import CANARY, World, now, world

KEPT = sorted(set(TYPES) - PUBLIC_TYPES - {"AuditEvent"})


def resource(resource_type: str) -> dict[str, Any]:
    return {
        "resourceType": resource_type,
        "id": "hidden",
        "identifier": [{"system": "urn:x", "value": CANARY}],
        "subject": {"reference": "Patient/hidden", "display": CANARY},
        "for": {"reference": "Patient/hidden"},
        "name": CANARY if resource_type not in ("Patient", "RelatedPerson") else [{"text": CANARY}],
    }


@pytest.fixture
def here(either: Database) -> Iterator[World]:
    with world(either) as opened:
        with either.transaction() as tx:
            for name in KEPT:
                resources.write(tx, resource(name), provider="RA1", now=now())
        yield opened


def test_nothing_of_another_provider_is_given_by_any_address(here: World) -> None:
    mine = here.token(here.client(providers=["RA1"]))
    theirs = here.token(here.client(providers=["RB2"]))
    for name in KEPT:
        assert here.get(f"{name}/hidden", mine).status_code == 200, name
        for path in ("hidden", "hidden/_history", "hidden/_history/1"):
            answer = here.get(f"{name}/{path}", theirs)
            assert answer.status_code == 404, f"{name}/{path}"
            assert (
                answer.content == here.get(f"{name}/{path.replace('hidden', 'no')}", theirs).content
            )
        for path in (
            name,
            f"{name}?_id=hidden",
            f"{name}?_summary=count",
            f"{name}?_include=*&_revinclude=Task:subject",
            f"{name}/_history",
        ):
            found = here.get(path, theirs)
            assert found.status_code == 200, found.text
            bundle = found.json()
            shown = [entry.get("resource", {}) for entry in bundle.get("entry", [])]
            kept = [one for one in shown if one["resourceType"] != "OperationOutcome"]
            own = ["b"] if name == "Task" and "hidden" not in path else []
            assert [one["id"] for one in kept] in (own, []), path
            assert bundle.get("total", 0) <= len(own), path
            assert CANARY not in json.dumps(kept)


def test_what_is_included_or_chained_is_of_one_s_own_provider(here: World) -> None:
    theirs = here.token(here.client(providers=["RB2"]))
    with here.database.transaction() as tx:
        task = {
            "resourceType": "Task",
            "id": "spy",
            "status": "requested",
            "intent": "order",
            "for": {"reference": "Patient/hidden"},
        }
        resources.write(tx, task, provider="RB2", now=now())
    found = here.get("Task?_id=spy&_include=Task:subject&_include=Task:patient", theirs).json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == ["spy"]
    for chain in (f"patient.name={CANARY}", f"subject:Patient.identifier=urn:x|{CANARY}"):
        assert here.get(f"Task?{chain}", theirs).json().get("total", 0) == 0, chain
