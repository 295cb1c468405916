from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.provider.endpoint import (
    DELIVERY,
    EprEndpoint,
    PatientPolicy,
    RepeatMode,
    Strategy,
    WireFormat,
    read_endpoint,
)


def endpoint(address: str = "https://epr.example.nhs.uk/fhir", **parts: Any) -> dict[str, Any]:
    given = [{"url": name, **value} for name, value in parts.items()]
    extension = [{"url": DELIVERY, "extension": given}] if parts else []
    return {"resourceType": "Endpoint", "address": address, "extension": extension}


def test_every_part_has_a_default() -> None:
    found, problems = read_endpoint(endpoint("https://epr.example.nhs.uk/fhir/"))
    assert found == EprEndpoint("https://epr.example.nhs.uk/fhir")
    assert not problems


def test_all_parts_are_read() -> None:
    found, problems = read_endpoint(
        endpoint(
            strategy={"valueCode": "creates"},
            repeat={"valueCode": "operator-check"},
            patient={"valueCode": "logical"},
            nhsNumberSystem={"valueUri": "urn:oid:1.2.3"},
            format={"valueCode": "xml"},
            messageEvent={"valueCoding": {"system": "https://x.example", "code": "new"}},
        )
    )
    assert not problems
    assert found == EprEndpoint(
        "https://epr.example.nhs.uk/fhir",
        Strategy.CREATES,
        RepeatMode.OPERATOR_CHECK,
        PatientPolicy.LOGICAL,
        "urn:oid:1.2.3",
        WireFormat.XML,
        "https://x.example|new",
    )


@pytest.mark.parametrize(
    "parts",
    [
        {"strategy": {"valueCode": "pigeon"}},
        {"repeat": {"valueCode": "often"}},
        {"patient": {"valueCode": "maybe"}},
        {"format": {"valueCode": "csv"}},
        {"stratagy": {"valueCode": "creates"}},
        {"strategy": {}},
    ],
)
def test_what_cannot_be_read_is_named(parts: dict[str, Any]) -> None:
    _, problems = read_endpoint(endpoint(**parts))
    assert len(problems) == 1
    assert next(iter(parts)) in problems[0]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://epr.example.nhs.uk/fhir",
        "ftp://epr.example.nhs.uk",
        "file:///var/drop",
        "https://user:secret@epr.example.nhs.uk/fhir",
        "https://epr.example.nhs.uk/fhir?tenant=1",
    ],
)
def test_the_address_of_a_server_is_https(address: str) -> None:
    _, problems = read_endpoint(endpoint(address))
    assert len(problems) == 1
    assert "secret" not in problems[0]


@pytest.mark.parametrize(
    ("address", "right"),
    [
        ("file:///var/drop", True),
        ("file://localhost/var/drop", True),
        ("file://other/var/drop", False),
        ("file:///", False),
        ("https://epr.example.nhs.uk", False),
    ],
)
def test_the_address_of_a_file_drop_is_a_folder(address: str, right: bool) -> None:
    _, problems = read_endpoint(endpoint(address, strategy={"valueCode": "file"}))
    assert bool(problems) != right
