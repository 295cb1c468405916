"""AuditEvents of interactions: the parts that IHE BALP's profiles ask for, valid R4 each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from fhir_gateway.audit.event import Party, references
from fhir_gateway.audit.rest_event import Exchange, events, patients_of
from fhir_gateway.fhir import check
from fhir_gateway.fhir.types import Resource

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
PATIENT = {"reference": "Patient/1"}


def event(interaction: str, **given: Any) -> Resource:
    exchange = Exchange(
        interaction,
        Party("client-1", "https://w3id.org/fhir-gateway/Id/client", "Portal", "192.0.2.1"),
        Party("https://gateway.example", address="https://gateway.example"),
        **{"target": "Task/1", "asked": "GET /Task", **given},
    )
    (made,) = events(exchange, observer="https://gateway.example", now=NOON)
    assert check.problems(made) == []
    return made


@pytest.mark.parametrize(
    ("interaction", "action", "client", "server", "profile"),
    [
        ("read", "R", "110152", "110153", "PatientRead"),
        ("vread", "R", "110152", "110153", "PatientRead"),
        ("create", "C", "110153", "110152", "PatientCreate"),
        ("update", "U", "110153", "110152", "PatientUpdate"),
        ("patch", "U", "110153", "110152", "PatientUpdate"),
        ("delete", "D", "110150", "custodian", "PatientDelete"),
        ("search-type", "E", "110153", "110152", "PatientQuery"),
        ("history-type", "E", "110153", "110152", "PatientQuery"),
        ("$match", "E", "110153", "110152", None),
        ("transaction", "E", "110153", "110152", None),
    ],
)
def test_each_interaction_has_the_roles_of_its_profile(
    interaction: str, action: str, client: str, server: str, profile: str | None
) -> None:
    made = event(interaction, patients=[PATIENT])
    assert made["action"] == action
    roles = [agent["type"]["coding"][0]["code"] for agent in made["agent"]]
    assert roles == [client, server]
    named = made["meta"].get("profile", [""])[0].rpartition(".")[2]
    assert named == (profile or "")
    kinds = [entity["type"]["code"] for entity in made["entity"]]
    assert kinds[0] == "1"
    assert len(kinds) >= 2


def test_without_a_patient_it_is_the_profile_without_one() -> None:
    assert event("read")["meta"]["profile"][0].endswith("IHE.BasicAudit.Read")
    assert event("search-type")["meta"]["profile"][0].endswith("IHE.BasicAudit.Query")


def test_what_failed_claims_no_profile_of_success() -> None:
    made = event("read", outcome="4", outcome_text="403 no scope")
    assert "profile" not in made["meta"]
    assert (made["outcome"], made["outcomeDesc"]) == ("4", "403 no scope")


def test_each_patient_of_a_search_has_an_event() -> None:
    exchange = Exchange(
        "search-type",
        Party("c", address="192.0.2.1"),
        Party("s", address="https://s.example"),
        target="Task",
        patients=[PATIENT, {"reference": "Patient/2"}],
    )
    made = events(exchange, observer="s", now=NOON)
    assert [references(one) for one in made] == [{"Patient/1"}, {"Patient/2"}]
    assert len({one["id"] for one in made}) == 2


def test_a_version_is_found_by_its_resource() -> None:
    assert references(event("vread", target="Task/1/_history/3")) == {"Task/1"}


@pytest.mark.parametrize(
    ("resource", "found"),
    [
        (None, []),
        ({"resourceType": "Patient", "id": "1"}, [PATIENT]),
        ({"resourceType": "Task", "for": {"reference": "Patient/1/_history/2"}}, [PATIENT]),
        ({"resourceType": "Consent", "patient": PATIENT}, [PATIENT]),
        ({"resourceType": "Task", "for": {"reference": "Group/1"}}, []),
        ({"resourceType": "Task", "for": "nonsense"}, []),
        (
            {"resourceType": "Task", "for": {"identifier": {"system": "s", "value": "v"}}},
            [{"identifier": {"system": "s", "value": "v"}}],
        ),
        (
            {
                "resourceType": "Bundle",
                "entry": [
                    {"resource": {"resourceType": "Patient", "id": "1"}},
                    {"resource": {"resourceType": "Task", "for": PATIENT}},
                    {"response": {}},
                    "nonsense",
                ],
            },
            [PATIENT],
        ),
        ({"resourceType": "AuditEvent", "patient": PATIENT}, []),
    ],
    ids=str,
)
def test_whom_a_resource_is_about(resource: Resource | None, found: list[Any]) -> None:
    assert patients_of(resource) == found
