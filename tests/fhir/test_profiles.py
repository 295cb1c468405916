"""Profile checks made from StructureDefinitions: each rule fires, and only where it should."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from fhir_gateway import shipped
from fhir_gateway.fhir import conformance
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.profiles import Profiles
from tests.conftest import ukcore_folder
from tests.mapping.shipped_cases import CASES, MAPPINGS, mapped
from tests.requirements import require

URL = "https://example.org/StructureDefinition/ours"
NHS = "https://fhir.nhs.uk/Id/nhs-number"
UKCORE = "https://fhir.hl7.org.uk/StructureDefinition"


def profile(*elements: dict[str, Any], of: str = "Patient") -> dict[str, Any]:
    return {
        "resourceType": "StructureDefinition",
        "url": URL,
        "type": of,
        "differential": {"element": [{"id": of, "path": of}, *elements]},
    }


def texts(resource: dict[str, Any], *conformance_: dict[str, Any]) -> list[str]:
    claimed = {**resource, "meta": {"profile": [URL]}}
    return [issue["diagnostics"] for issue in Profiles(conformance_).problems(claimed)]


SLICED = profile(
    {
        "id": "Patient.identifier",
        "slicing": {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"},
    },
    {"id": "Patient.identifier:nhs", "sliceName": "nhs", "min": 0, "max": "1"},
    {"id": "Patient.identifier:nhs.system", "min": 1, "fixedUri": NHS},
    {"id": "Patient.identifier:nhs.value", "min": 1},
)


@pytest.mark.parametrize(
    ("element", "bad", "good"),
    [
        ({"id": "Patient.birthDate", "min": 1}, {}, {"birthDate": "1970-01-01"}),
        ({"id": "Patient.photo", "max": "0"}, {"photo": [{"title": "x"}]}, {}),
        ({"id": "Patient.name", "max": "1"}, {"name": [{}, {}]}, {"name": [{"text": "x"}]}),
        ({"id": "Patient.active", "fixedBoolean": True}, {"active": False}, {"active": True}),
        (
            {"id": "Patient.maritalStatus", "patternCodeableConcept": {"coding": [{"code": "M"}]}},
            {"maritalStatus": {"coding": [{"code": "S"}]}},
            {"maritalStatus": {"coding": [{"system": "s", "code": "M"}], "text": "x"}},
        ),
        (
            {"id": "Patient.deceased[x]", "min": 1},
            {},
            {"deceasedBoolean": False},
        ),
    ],
    ids=["min", "max-0", "max-1", "fixed", "pattern", "choice"],
)
def test_a_rule_fires_on_what_breaks_it_only(
    element: dict[str, Any], bad: dict[str, Any], good: dict[str, Any]
) -> None:
    definition = profile(element)
    assert len(texts({"resourceType": "Patient", **bad}, definition)) == 1
    assert texts({"resourceType": "Patient", **good}, definition) == []


def test_an_element_that_is_needed_within_one_that_is_not_there_is_not_missed() -> None:
    definition = profile({"id": "Patient.contact.name", "min": 1})
    assert texts({"resourceType": "Patient"}, definition) == []
    assert texts({"resourceType": "Patient", "contact": [{"gender": "male"}]}, definition) == [
        "Patient.contact.name: at least 1 needed, 0 there"
    ]


@pytest.mark.parametrize(
    ("identifiers", "count"),
    [
        ([], 0),
        ([{"system": "other"}], 0),
        ([{"system": NHS, "value": "1"}, {"system": "other"}], 0),
        ([{"system": NHS}], 1),
        ([{"system": NHS, "value": "1"}, {"system": NHS, "value": "2"}], 1),
    ],
)
def test_members_of_a_slice_are_counted_and_checked(
    identifiers: list[dict[str, Any]], count: int
) -> None:
    patient = {"resourceType": "Patient", "identifier": identifiers}
    assert len(texts(patient, SLICED)) == count


CODES = {
    "resourceType": "CodeSystem",
    "url": "https://example.org/codes",
    "content": "complete",
    "concept": [{"code": "a", "concept": [{"code": "b"}]}],
}
KNOWN = {
    "resourceType": "ValueSet",
    "url": "https://example.org/known",
    "compose": {"include": [{"system": "https://example.org/codes"}]},
}
PARTLY = {
    "resourceType": "ValueSet",
    "url": "https://example.org/known",
    "compose": {
        "include": [
            {"system": "https://example.org/codes"},
            {"system": "http://snomed.info/sct", "filter": [{"property": "x"}]},
        ]
    },
}


@pytest.mark.parametrize(
    ("value_set", "system", "code", "valid"),
    [
        (KNOWN, "https://example.org/codes", "b", True),
        (KNOWN, "https://example.org/codes", "c", False),
        (KNOWN, "https://example.org/others", "a", False),
        (PARTLY, "https://example.org/codes", "c", False),
        (PARTLY, "http://snomed.info/sct", "1", True),
    ],
)
def test_a_required_binding(value_set: dict[str, Any], system: str, code: str, valid: bool) -> None:
    binding = {"strength": "required", "valueSet": "https://example.org/known"}
    definition = profile({"id": "Patient.maritalStatus", "binding": binding})
    concept = {"coding": [{"system": system, "code": code}]}
    found = texts(
        {"resourceType": "Patient", "maritalStatus": concept}, definition, value_set, CODES
    )
    assert (found == []) is valid


def test_a_profile_of_another_type_or_one_that_is_not_there_is_said() -> None:
    assert "is for Patient" in texts({"resourceType": "Basic"}, profile())[0]
    assert "not at hand" in texts({"resourceType": "Basic"})[0]


def ukcore() -> Profiles:
    folder = ukcore_folder()
    if folder is None:
        require("ukcore", "set FHIR_GATEWAY_REFERENCE_DATA to a folder with `ukcore` in it")
    return shipped.read_profiles(folder)


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_every_shipped_mapping_is_uk_core_by_our_checks(mapping: str) -> None:
    profiles = ukcore()
    for case in CASES:
        assert profiles.problems(mapped(mapping, case).bundle) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"identifier": [{"system": NHS}]},
        {"identifier": [{"system": NHS, "value": "1"}, {"system": NHS, "value": "2"}]},
        {
            "extension": [
                {"url": f"{UKCORE}/Extension-UKCore-ContactPreference", "valueString": "text"}
            ]
        },
        {
            "identifier": [
                {
                    "extension": [
                        {
                            "url": f"{UKCORE}/Extension-UKCore-NHSNumberVerificationStatus",
                            "valueCodeableConcept": {
                                "coding": [
                                    {
                                        "system": "https://fhir.hl7.org.uk/CodeSystem/"
                                        "UKCore-NHSNumberVerificationStatusEngland",
                                        "code": "77",
                                    }
                                ]
                            },
                        }
                    ],
                    "system": NHS,
                    "value": "9990000018",
                }
            ]
        },
    ],
    ids=["number-empty", "number-twice", "extension-with-a-value", "status-unknown"],
)
def test_what_uk_core_forbids_is_found_as_the_hl7_validator_finds_it(
    changes: dict[str, Any],
) -> None:
    patient = {
        "resourceType": "Patient",
        "meta": {"profile": [f"{UKCORE}/UKCore-Patient"]},
        **changes,
    }
    assert [i["severity"] for i in ukcore().problems(patient)] == ["error"]


def test_a_package_is_read_like_a_folder(tmp_path: Path) -> None:
    package = tmp_path / "ours.tgz"
    with tarfile.open(package, "w:gz") as archive:
        for name, content in (
            ("package/package.json", b'{"name": "ours"}'),
            ("package/StructureDefinition-ours.json", fhir_json.dump(SLICED)),
            ("package/readme.md", b"#"),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    patient = {"resourceType": "Patient", "identifier": [{"system": NHS}]}
    assert len(shipped.read_profiles(package).problems(patient, [URL])) == 1


@pytest.mark.parametrize(
    "content",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><ValueSet xmlns="http://hl7.org/fhir"/>',
        b"<ValueSet",
        b'<ValueSet xmlns="http://hl7.org/fhir"><x',
    ],
)
def test_xml_that_is_hostile_or_broken_is_refused(content: bytes) -> None:
    with pytest.raises(conformance.ConformanceRefused):
        list(conformance.of_xml(content))


def test_a_folder_without_profiles_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("{}")
    with pytest.raises(shipped.FolderRefused, match="no StructureDefinition"):
        shipped.read_profiles(tmp_path)
