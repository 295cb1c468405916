"""Hospital services, read from FHIR."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from fhir_gateway import shipped
from fhir_gateway.provider.service import ServiceRefused, read_service
from fhir_gateway.sandbox import overview

SERVICE = shipped.read_resource(Path(overview.__file__).parent / "service.json")
MEDICAL = "https://w3id.org/fhir-gateway/Questionnaire/pifu-medical"


def changed(resource_type: str, **values: Any) -> dict[str, Any]:
    """The demo's service with other elements; None leaves one out."""
    bundle = deepcopy(SERVICE)
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == resource_type:
            for name, value in values.items():
                resource.pop(name, None)
                if value is not None:
                    resource[name] = value
    return bundle


def problems(bundle: dict[str, Any]) -> list[str]:
    with pytest.raises(ServiceRefused) as raised:
        read_service(bundle)
    assert raised.value.code == "service-refused"
    return raised.value.problems


def test_the_demos_service_is_read() -> None:
    service = read_service(SERVICE)
    assert (service.slug, service.name, service.ods_code) == (
        "rheumatology",
        "Rheumatology",
        "RZZ99",
    )
    assert service.organisation_name == "Example NHS Foundation Trust"
    assert service.response_time == "2 working days"
    assert service.telephone == "020 7946 0123"
    assert service.what_happens_next.startswith("A nurse reads every request")
    assert service.epr_base == "https://epr.example.nhs.uk/fhir"
    assert [t.mapping for t in service.request_types] == ["uk-core-transaction"] * 2


@pytest.mark.parametrize("canonical", [MEDICAL, f"{MEDICAL}|1.0.0", f"{MEDICAL}|2.0.0"])
def test_a_mapping_is_found_for_any_version_of_its_questionnaire(canonical: str) -> None:
    assert read_service(SERVICE).mapping_for(canonical) == "uk-core-transaction"


def test_a_questionnaire_that_is_not_offered_has_no_mapping() -> None:
    assert read_service(SERVICE).mapping_for("urn:other") is None


@pytest.mark.parametrize(
    ("resource_type", "element", "said"),
    [
        ("HealthcareService", "identifier", "a short name"),
        ("HealthcareService", "name", "HealthcareService.name is missing"),
        ("HealthcareService", "extension", "service-responseTime is missing"),
        ("Organization", "name", "Organization.name is missing"),
        ("Organization", "identifier", "needs the ODS code"),
        ("Endpoint", "address", "https base"),
    ],
)
def test_what_is_missing_is_named(resource_type: str, element: str, said: str) -> None:
    assert any(said in text for text in problems(changed(resource_type, **{element: None})))


@pytest.mark.parametrize("slug", ["", "Rheumatology", "a b", "-a", "a--b", "a/b", "a" * 81])
def test_a_short_name_is_fit_for_commands_and_for_the_database(slug: str) -> None:
    identifier = [{"system": "https://w3id.org/fhir-gateway/Id/service", "value": slug}]
    found = problems(changed("HealthcareService", identifier=identifier))
    assert len(found) == 1
    assert "a short name" in found[0]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://epr.example.nhs.uk/fhir",
        "ftp://epr.example.nhs.uk",
        "epr.example.nhs.uk/fhir",
        "https://",
        "https:///fhir",
        "https://[broken/fhir",
        "https://user:secret@epr.example.nhs.uk/fhir",
        "https://epr.example.nhs.uk/fhir?token=secret",
        "https://epr.example.nhs.uk:notaport/fhir",
        "file:///etc/passwd",
        5,
    ],
)
def test_patient_data_goes_to_an_https_address_only(address: Any) -> None:
    (only,) = problems(changed("Endpoint", address=address))
    assert only.startswith("Endpoint.address must be the https base")
    assert "secret" not in only


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8082/fhir/", "http://localhost/fhir", "https://epr.example/fhir/"]
)
def test_a_stand_in_on_this_machine_needs_no_https(address: str) -> None:
    assert read_service(changed("Endpoint", address=address)).epr_base == address.rstrip("/")


@pytest.mark.parametrize("file", [{"resourceType": "Patient"}, {}])
def test_what_is_no_bundle_is_said_in_one_sentence(file: dict[str, Any]) -> None:
    assert problems(file) == ["The file is not a FHIR Bundle."]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert len(problems({"resourceType": "Bundle"})) == 7


@pytest.mark.parametrize("nonsense", ["x", 5, [None], [{"resource": 5}], {}])
def test_a_broken_bundle_is_refused_and_breaks_nothing(nonsense: Any) -> None:
    assert len(problems({"resourceType": "Bundle", "entry": nonsense})) == 7


def test_a_request_type_needs_both_of_its_parts() -> None:
    half = deepcopy(SERVICE)
    for extension in half["entry"][0]["resource"]["extension"][:2]:
        extension["extension"].pop()
    assert any("service-requestType is needed" in text for text in problems(half))
