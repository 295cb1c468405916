"""The shapes of what is retrieved and what is found, over HTTP."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.patient import Patient

from fhir_gateway.fhir.types import extension_value
from fhir_gateway.sandbox.pds.personas import people, person
from tests.sandbox.pds.client import Client

VERIFICATION = (
    "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
)
RETRIEVED = [p for p in people() if p.key != "invalidated"]


def retrieve(pds: Client, key: str) -> dict[str, Any]:
    body = pds.get(f"/Patient/{person(key).nhs_number}").json()
    assert isinstance(body, dict)
    return body


def found(pds: Client, key: str) -> dict[str, Any]:
    who = person(key)
    answer = pds.search(family=who.family, given=who.given, birthdate=who.birth_date)
    patient = answer.json()["entry"][0]["resource"]
    assert isinstance(patient, dict)
    return patient


def urls(patient: dict[str, Any]) -> set[str]:
    return {e["url"].rsplit("-", 1)[-1] for e in patient.get("extension", [])}


@pytest.mark.parametrize("who", RETRIEVED, ids=[p.key for p in RETRIEVED])
def test_every_retrieved_patient_is_valid_fhir(pds: Client, who: Any) -> None:
    Patient.model_validate(pds.get(f"/Patient/{who.nhs_number}").json())


def test_a_search_answer_is_a_valid_bundle(pds: Client) -> None:
    who = person("typical")
    answer = pds.search(family=who.family, birthdate=who.birth_date)
    Bundle.model_validate(answer.json())


def test_the_whole_record_is_retrieved(pds: Client) -> None:
    patient = retrieve(pds, "typical")
    assert set(patient) == {
        "resourceType",
        "id",
        "identifier",
        "meta",
        "name",
        "gender",
        "birthDate",
        "address",
        "telecom",
        "contact",
        "generalPractitioner",
        "extension",
    }
    assert urls(patient) == {
        "NHSCommunication",
        "ContactPreference",
        "NominatedPharmacy",
        "birthPlace",
    }


def test_the_nhs_number_has_the_verification_status_pds_really_sends(pds: Client) -> None:
    [identifier] = retrieve(pds, "typical")["identifier"]
    assert identifier["system"] == "https://fhir.nhs.uk/Id/nhs-number"
    [coding] = extension_value(identifier, VERIFICATION)["coding"]
    assert coding == {
        "system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus",
        "version": "1.0.0",
        "code": "01",
        "display": "Number present and verified",
    }


def test_the_etag_is_the_version(pds: Client) -> None:
    answer = pds.get(f"/Patient/{person('typical').nhs_number}")
    assert answer.headers["etag"] == f'W/"{answer.json()["meta"]["versionId"]}"'
    assert answer.headers["content-type"] == "application/fhir+json"


def test_a_search_shows_less_than_a_retrieval(pds: Client) -> None:
    whole, less = retrieve(pds, "typical"), found(pds, "typical")
    assert "extension" not in less
    assert {k: v for k, v in whole.items() if k != "extension"} == less


def test_earlier_names_are_retrieved_with_their_end_and_not_found(pds: Client) -> None:
    names = retrieve(pds, "married")["name"]
    assert [(n["use"], n["family"]) for n in names] == [("usual", "Rahman"), ("maiden", "Malik")]
    assert "end" not in names[0]["period"]
    assert names[1]["period"]["end"] < names[0]["period"]["start"]
    assert [n["use"] for n in found(pds, "married")["name"]] == ["usual"]


def test_earlier_addresses_are_retrieved_with_their_end_and_not_found(pds: Client) -> None:
    addresses = retrieve(pds, "moved")["address"]
    assert [a["postalCode"] for a in addresses] == ["BS3 4UL", "M14 5RB"]
    assert "end" not in addresses[0]["period"]
    assert addresses[1]["period"]["end"] < addresses[0]["period"]["start"]
    assert [a["postalCode"] for a in found(pds, "moved")["address"]] == ["BS3 4UL"]


def test_every_telecom_has_a_period(pds: Client) -> None:
    telecoms = retrieve(pds, "typical")["telecom"]
    assert {(t["system"], t["use"]) for t in telecoms} == {("phone", "mobile"), ("email", "home")}
    assert all("start" in t["period"] for t in telecoms)


def test_the_death_is_found_and_why_they_left_is_retrieved_only(pds: Client) -> None:
    whole, less = retrieve(pds, "deceased"), found(pds, "deceased")
    assert urls(less) == {"DeathNotificationStatus"}
    assert less["deceasedDateTime"] == whole["deceasedDateTime"]
    assert urls(whole) == {"DeathNotificationStatus", "RemovalFromRegistration"}
    assert whole["managingOrganization"]["type"] == "Organization"
    assert "managingOrganization" not in less


@pytest.mark.parametrize("shape", [retrieve, found])
def test_a_restricted_patient_is_shown_without_any_place(pds: Client, shape: Any) -> None:
    patient = shape(pds, "restricted")
    assert set(patient) <= {
        "resourceType",
        "id",
        "identifier",
        "meta",
        "name",
        "gender",
        "birthDate",
        "extension",
    }
    assert patient["meta"]["security"] == [
        {
            "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
            "code": "R",
            "display": "restricted",
        }
    ]
    assert not urls(patient) & {"NominatedPharmacy", "birthPlace", "RemovalFromRegistration"}


def test_a_restricted_patient_has_no_related_people(pds: Client) -> None:
    answer = pds.get(f"/Patient/{person('restricted').nhs_number}/RelatedPerson")
    assert answer.status_code == 200
    assert answer.json()["total"] == 0
    assert "entry" not in answer.json()


def test_no_match_is_a_bundle_without_entries(pds: Client) -> None:
    answer = pds.search(family="Nobody", birthdate="1900-01-01")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"resourceType", "type", "total", "timestamp"}
    assert (body["type"], body["total"]) == ("searchset", 0)


def test_one_match_is_a_bundle_with_score_and_production_address(pds: Client) -> None:
    who = person("typical")
    body = pds.search(family=who.family, birthdate=who.birth_date).json()
    [entry] = body["entry"]
    assert set(entry) == {"fullUrl", "search", "resource"}
    assert entry["fullUrl"] == (
        f"https://api.service.nhs.uk/personal-demographics/FHIR/R4/Patient/{who.nhs_number}"
    )
    assert entry["search"] == {"score": 1}


def test_the_timestamp_is_now_in_utc_with_milliseconds(pds: Client) -> None:
    text = pds.search(family="Nobody", birthdate="1900-01-01").json()["timestamp"]
    assert re.fullmatch(r"[0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z", text)
    age = datetime.now(UTC) - datetime.fromisoformat(text)
    assert abs(age.total_seconds()) < 60


def test_too_many_matches_is_an_outcome_with_status_200(pds: Client) -> None:
    who = person("namesake_a")
    answer = pds.search(family=who.family, birthdate=who.birth_date)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/fhir+json"
    assert answer.json() == {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "information",
                "code": "multiple-matches",
                "details": {
                    "coding": [
                        {
                            "system": "https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode",
                            "version": "1",
                            "code": "TOO_MANY_MATCHES",
                            "display": "Too Many Matches",
                        }
                    ]
                },
            }
        ],
    }
