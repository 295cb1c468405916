"""The rows that resources are found by."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_gateway.fhir.search.parameter import Kind
from fhir_gateway.fhir.search.parameters import TYPES
from fhir_gateway.fhir.search.values import Row, fold, rows

SECRET = "Canary"


def mac(kind: str, value: str) -> str:
    """A hash that tells tests what it is of."""
    return f"#{kind}:{len(value)}"


def of(resource: dict[str, Any], parameter: str) -> list[Row]:
    return [row for row in rows(resource, mac) if row.parameter == parameter]


def test_a_personal_string_is_hashed_by_its_beginnings_whole_and_as_written() -> None:
    patient = {"resourceType": "Patient", "name": [{"family": SECRET}]}
    kept = [row.value for row in of(patient, "family")]
    beginnings = [f"#beginning:{n}" for n in range(1, 7)]
    assert kept == [*beginnings, "#whole:6", "#exact:6"]


def test_identifiers_of_requests_are_plain_and_those_of_people_are_not() -> None:
    request = "https://w3id.org/fhir-gateway/Id/request"
    patient = {
        "resourceType": "Patient",
        "identifier": [
            {"system": request, "value": "r"},
            {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"},
            {"value": "unknown"},
        ],
    }
    assert [row.value for row in of(patient, "identifier")] == ["r", "#token:10", "#token:7"]


def test_a_logical_reference_to_a_person_is_hashed_too() -> None:
    named = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"}
    task = {"resourceType": "Task", "for": {"type": "Patient", "identifier": named}}
    assert [row.value for row in of(task, "subject:identifier")] == ["#token:10"]
    assert [row.value for row in of(task, "patient:identifier")] == ["#token:10"]


def test_a_reference_with_targets_ignores_others() -> None:
    task = {"resourceType": "Task", "for": {"reference": "Group/1"}}
    assert of(task, "patient") == []
    assert of(task, "subject") == [Row("subject", "Group", "1")]


@pytest.mark.hazard("H08")
@pytest.mark.parametrize(
    "reference",
    [
        "Patient/9990000018",
        "https://pds.example/Patient/9990000018",
        "Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9990000018",
    ],
)
def test_a_reference_that_names_a_person_is_hashed(reference: str) -> None:
    task = {"resourceType": "Task", "for": {"reference": reference}}
    kept = rows(task, mac)
    assert of(task, "subject")
    assert not [part for row in kept for part in row if "9990000018" in part]


def test_no_text_is_longer_than_an_index_takes() -> None:
    long = "\ufdfa" * 5000  # one character that folds to eighteen
    service = {"resourceType": "HealthcareService", "name": long, "type": [{"text": long}]}
    form = {"resourceType": "Questionnaire", "url": long, "description": long}
    for row in (*rows(service, mac), *rows(form, mac)):
        assert max(len(part.encode()) for part in row) <= 600


def test_text_is_compared_without_case_accents_and_spaces() -> None:
    assert fold("  Ångström   SMITH ") == "angstrom smith"
    assert fold("STRASSE") == fold("Straße")


def test_every_parameter_that_names_a_person_is_personal() -> None:
    for name in ("Patient", "RelatedPerson"):
        plain = {p.name for p in TYPES[name].values() if not p.personal}
        assert plain <= {
            "_id", "_lastUpdated", "_tag", "_profile", "active", "organization", "patient",
            "relationship",
        }  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(name=st.sampled_from(sorted(TYPES)), value=JSON)
def test_whatever_stands_in_an_element_is_indexed_or_passed_over(name: str, value: Any) -> None:
    resource: dict[str, Any] = {"resourceType": name}
    for parameter in TYPES[name].values():
        for path in parameter.paths:
            resource[path.partition(".")[0]] = value
    for row in rows(resource, mac):
        assert row.parameter.partition(":")[0] in TYPES[name]
        if TYPES[name][row.parameter.partition(":")[0]].kind is Kind.DATE:
            assert row.low < row.high or row.value.startswith("#")
