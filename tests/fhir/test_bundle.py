"""Building and reading Bundles."""

from __future__ import annotations

import uuid

import pytest

from fhir_gateway.fhir import bundle

PATIENT = {"resourceType": "Patient", "id": "1"}
TASK = {"resourceType": "Task", "for": {"reference": "Patient/1"}}


def test_an_entry_creates_and_may_be_conditional() -> None:
    assert bundle.post_entry("urn:uuid:1", PATIENT) == {
        "fullUrl": "urn:uuid:1",
        "resource": PATIENT,
        "request": {"method": "POST", "url": "Patient"},
    }
    conditional = bundle.post_entry("urn:uuid:1", PATIENT, if_none_exist="identifier=a|b")
    assert conditional["request"]["ifNoneExist"] == "identifier=a|b"


def test_resources_are_listed_in_order_and_by_type() -> None:
    made = bundle.transaction([bundle.post_entry("a", PATIENT), bundle.post_entry("b", TASK)])
    assert made["type"] == "transaction"
    assert list(bundle.resources(made)) == [PATIENT, TASK]
    assert list(bundle.resources(made, "Task")) == [TASK]
    assert list(bundle.resources(made, "Practitioner")) == []


@pytest.mark.parametrize(
    "broken", [{}, {"entry": None}, {"entry": "x"}, {"entry": [None, 1, {}, {"resource": "x"}]}]
)
def test_a_broken_bundle_has_no_resources(broken: dict[str, object]) -> None:
    assert list(bundle.resources(broken)) == []


def test_references_are_found_however_deep() -> None:
    tree = {"a": [{"b": {"reference": "Patient/1"}}, {"reference": 5}], "reference": "Task/1"}
    assert {r["reference"] for r in bundle.references(tree)} == {"Patient/1", "Task/1"}
    assert list(bundle.references("text")) == []


def test_the_same_request_and_name_give_the_same_urn() -> None:
    one, other = uuid.UUID(int=1), uuid.UUID(int=2)
    assert bundle.derived_urn(one, "Patient") == bundle.derived_urn(one, "Patient")
    made = {
        bundle.derived_urn(one, "Patient"),
        bundle.derived_urn(one, "Task"),
        bundle.derived_urn(other, "Patient"),
    }
    assert len(made) == 3
    assert all(uuid.UUID(urn.removeprefix("urn:uuid:")) for urn in made)
