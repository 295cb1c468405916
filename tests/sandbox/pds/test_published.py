"""The open sandbox, as the public one answers who sends no token."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.pds.client import Client, spine_code

OPEN = {"X-Request-ID": "60E0B220-8136-4CA5-AE46-1D97EF59D068"}


def found(pds: Client, **params: str) -> list[str]:
    pairs = [(name.replace("__", "-"), value) for name, value in params.items()]
    body: dict[str, Any] = pds.get("/Patient", pairs, OPEN).json()
    if body["resourceType"] == "OperationOutcome":
        return ["many"]
    return [entry["resource"]["id"] for entry in body.get("entry", [])]


SMITH = {"family": "Smith", "birthdate": "eq2010-10-22"}


def test_without_a_token_several_are_found(pds: Client) -> None:
    assert set(found(pds, family="Sm*", gender="female", birthdate="eq2010-10-22")) == {
        "9000000009",
        "9000000017",
    }
    assert len(found(pds, family="YOUDS", birthdate="1970-01-24")) == 2
    assert found(pds, family="YOUDS", birthdate="1970-01-24", **{"_max-results": "1"}) == ["many"]
    assert len(found(pds, family="YOUDS", birthdate="1970-01-24", **{"_max-results": "2"})) == 2


def test_with_one_an_application_gets_none_of_several(pds: Client) -> None:
    assert pds.found(family="YOUDS", birthdate="1970-01-24") == ["many"]
    answer = pds.get("/Patient", {**SMITH, "_max-results": "2"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({**SMITH, "gender": "female"}, ["9000000009"]),
        ({**SMITH, "gender": "female", "birthdate": "ge2010-10-21"}, ["9000000009"]),
        ({**SMITH, "gender": "male", "given": "John Paul"}, ["9000000015"]),
        ({"family": "Smythe", "birthdate": "eq2005-06-16"}, ["9000000025"]),
        (
            {"family": "Smythe", "birthdate": "eq2005-06-16", "address-postalcode": "LS1 6AE"},
            [],
        ),
        ({"family": "Godsoe", "birthdate": "eq1936-02-24"}, ["9727022820"]),
        (
            {
                "family": "Smith",
                "gender": "male",
                "birthdate": "eq2000-05-05",
                "email": "Historic@historic.com",
            },
            [],
        ),
        ({"family": "cuff", "birthdate": "1926-01-07"}, ["9732019395"]),
    ],
)
def test_what_no_example_covers_follows_from_the_records(
    pds: Client, params: dict[str, str], expected: list[str]
) -> None:
    assert found(pds, **params) == expected


def test_the_restricted_patient_says_nothing_of_where_she_is(pds: Client) -> None:
    body = pds.get("/Patient/9000000025", (), OPEN).json()
    assert body["meta"]["security"][0]["code"] == "R"
    assert not {"address", "telecom", "contact", "generalPractitioner"} & body.keys()
    assert pds.get("/Patient/9000000025/RelatedPerson", (), OPEN).json()["total"] == 0


def test_a_number_that_pds_made_invalid_is_said_to_be(pds: Client) -> None:
    assert spine_code(pds.get("/Patient/9990003343")) == "INVALIDATED_RESOURCE"


@pytest.mark.parametrize("given", ["eq1990-01-01", "1990-01-01"])
def test_examples_are_found_in_any_order_and_case(pds: Client, given: str) -> None:
    for pairs in (
        [("family", "Zebedee"), ("birthdate", given)],
        [("birthdate", given), ("family", "ZEBEDEE")],
    ):
        assert pds.get("/Patient", pairs, OPEN).json()["issue"][0]["code"] == "not-supported"
