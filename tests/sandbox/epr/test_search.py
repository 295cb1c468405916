"""Searches by GET and by POST, what they find and how it is laid out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from fhir_gateway.fhir.check import problems
from fhir_gateway.fhir.identifiers import NHS_NUMBER, ODS_ORGANISATION, REFERENCE
from fhir_gateway.sandbox.epr.query import MAX_VALUES
from tests.sandbox.epr.request_bundle import BUSINESS_STATUS, patient, request_bundle

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
STRICT = {"Prefer": "handling=strict"}
PEOPLE = [
    ("a", "9990000018", "Ångström", "Zoë", "1984-03-05"),
    ("b", "9990000026", "Smith", "Anna", "1990-12-31"),
    ("c", "9990000034", "Smithson", "Ben", "2001-01-01"),
]


def _person(identifier: str, number: str, family: str, given: str, born: str) -> dict[str, Any]:
    resource = patient(number)
    resource["id"] = identifier
    resource["name"] = [{"family": family, "given": [given]}]
    resource["birthDate"] = born
    resource["identifier"].append({"value": f"no-system-{identifier}"})
    resource["identifier"].append({"system": "urn:x", "value": "one,two|three"})
    return resource


@pytest.fixture(scope="module")
def epr(start: Callable[..., AbstractContextManager[httpx.Client]]) -> Iterator[httpx.Client]:
    """Three people, and one request of the first."""
    with start() as client:
        for person in PEOPLE:
            client.put(f"/fhir/Patient/{person[0]}", json=_person(*person)).raise_for_status()
        client.post("/fhir", json=request_bundle("PF-1")).raise_for_status()
        yield client


def _found(response: httpx.Response) -> list[str]:
    bundle = response.json()
    assert response.status_code == 200, response.text
    assert bundle["type"] == "searchset"
    assert problems(bundle) == []
    return [
        entry["resource"]["id"]
        for entry in bundle.get("entry", [])
        if entry["search"]["mode"] == "match"
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("_id=a", "a"),
        ("_id=a,c", "ac"),
        ("_id=nobody", ""),
        (f"identifier={NHS_NUMBER}|9990000026", "b"),
        ("identifier=9990000026", "b"),
        (f"identifier={NHS_NUMBER}|", "abc"),
        (f"identifier={NHS_NUMBER}|9990000026,{NHS_NUMBER}|9990000034", "bc"),
        ("identifier=|no-system-b", "b"),
        ("identifier=|9990000026", ""),
        ("identifier=urn:other|9990000026", ""),
        (r"identifier=urn:x|one\,two\|three", "abc"),
        ("identifier=urn:x|one", ""),
        ("family=smith", "bc"),
        ("family=SMITHS", "c"),
        ("family=angstrom", "a"),
        ("family=mith", ""),
        ("family=smith&given=anna", "b"),
        ("given=zoe", "a"),
        ("name=ben", "c"),
        ("name=smith,zoe", "abc"),
        ("birthdate=1984-03-05", "a"),
        ("birthdate=1984", "a"),
        ("birthdate=ne1984", "bc"),
        ("birthdate=gt1990", "c"),
        ("birthdate=ge1990-12-31", "bc"),
        ("birthdate=lt1990-12-31", "a"),
        ("birthdate=le1990-12-31", "ab"),
        ("birthdate=sa1990-12-31", "c"),
        ("birthdate=eb1990-12-31", "a"),
        ("birthdate=ge1980&birthdate=lt2000", "ab"),
        ("birthdate:missing=true", ""),
        ("birthdate:missing=false", "abc"),
        ("gender=female", "abc"),
        ("address-postalcode=ls1", "abc"),
        ("_lastUpdated=gt2020-01-01", "abc"),
        ("_lastUpdated=lt2020-01-01T00:00:00Z", ""),
        ("family=", "abc"),
    ],
)
def test_people_are_found_by_each_parameter(epr: httpx.Client, query: str, expected: str) -> None:
    by_get = _found(epr.get(f"/fhir/Patient?{query}"))
    by_post = _found(
        epr.post("/fhir/Patient/_search", content=urlencode(parse_qsl(query)), headers=FORM)
    )

    assert sorted(by_get) == list(expected)
    assert by_post == by_get


@pytest.mark.parametrize(
    ("path", "total"),
    [
        ("Task?status=requested", 1),
        ("Task?status=completed", 0),
        (f"Task?identifier={REFERENCE}|PF-1", 1),
        ("Task?patient=a", 1),
        ("Task?patient=Patient/a", 1),
        ("Task?subject:Patient=a", 1),
        ("Task?subject:Device=a", 0),
        ("Task?patient=b", 0),
        ("Task?focus:missing=true", 0),
        ("Task?based-on:missing=true", 1),
        (f"Task?owner:identifier={ODS_ORGANISATION}|RZZ99", 1),
        ("Task?owner:missing=false", 1),
        (f"Task?business-status={BUSINESS_STATUS}|matched", 1),
        ("ServiceRequest?subject=Patient/a&intent=proposal", 1),
        ("QuestionnaireResponse?source=a", 1),
        (
            "QuestionnaireResponse?questionnaire="
            "https://w3id.org/fhir-gateway/Questionnaire/pifu-medical",
            1,
        ),
        (
            "QuestionnaireResponse?questionnaire="
            "https://w3id.org/fhir-gateway/Questionnaire/pifu-medical|2.0.0",
            0,
        ),
        ("QuestionnaireResponse?authored=2026-11-24", 1),
        ("Provenance?agent=Patient/a", 1),
        ("Communication?recipient=a&sender=b", 0),
    ],
)
def test_the_parts_of_a_request_are_found(epr: httpx.Client, path: str, total: int) -> None:
    assert epr.get(f"/fhir/{path}", headers=STRICT).json()["total"] == total


def test_provenance_is_found_by_each_of_its_targets(epr: httpx.Client) -> None:
    task = epr.get("/fhir/Task").json()["entry"][0]["resource"]

    for target in (f"Task/{task['id']}", task["focus"]["reference"]):
        assert epr.get("/fhir/Provenance", params={"target": target}).json()["total"] == 1


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("family", "abc"),
        ("-family", "cba"),
        ("birthdate", "abc"),
        ("-birthdate", "cba"),
        ("gender,-_id", "cba"),
        ("_lastUpdated", "abc"),
        ("-_lastUpdated", "cba"),
    ],
)
def test_results_come_sorted(epr: httpx.Client, sort: str, expected: str) -> None:
    assert "".join(_found(epr.get("/fhir/Patient", params={"_sort": sort}))) == expected


def test_without_a_sort_the_newest_comes_first(epr: httpx.Client) -> None:
    assert _found(epr.get("/fhir/Patient")) == ["c", "b", "a"]


def test_paging_links_lead_through_all_results_once(epr: httpx.Client) -> None:
    address = f"{epr.base_url}/fhir/Patient?_count=1&_sort=family&gender=female"
    seen = []
    while address:
        response = epr.get(address)
        seen += _found(response)
        links = {link["relation"]: link["url"] for link in response.json()["link"]}
        assert response.json()["total"] == 3
        address = links.get("next", "")

    assert seen == ["a", "b", "c"]
    assert _found(epr.get(links["previous"])) == ["b"]
    assert _found(epr.get(links["first"])) == ["a"]
    assert links["last"] == links["self"]
    assert _found(epr.get(links["last"])) == ["c"]


def test_a_count_of_nought_only_counts(epr: httpx.Client) -> None:
    bundle = epr.get("/fhir/Patient?_count=0").json()

    assert bundle["total"] == 3
    assert "entry" not in bundle


def test_the_self_link_shows_what_was_understood(epr: httpx.Client) -> None:
    response = epr.get("/fhir/Patient?colour=blue&family=smith&_sort=shade&_count=5")

    link = response.json()["link"][0]
    assert link["relation"] == "self"
    assert dict(parse_qsl(urlsplit(link["url"]).query)) == {"family": "smith", "_count": "5"}
    assert sorted(_found(response)) == ["b", "c"]


@pytest.mark.parametrize(
    "query",
    [
        "colour=blue",
        "_sort=colour",
        "_include=Task:colour",
        "_revinclude=Nothing:at-all",
        "_include=rubbish",
        "_include=Task:focus",
        "family=",
        "_summary=true",
    ],
)
def test_strict_handling_refuses_what_is_unknown(epr: httpx.Client, query: str) -> None:
    response = epr.get(f"/fhir/Patient?{query}", headers=STRICT)

    assert response.status_code == 400
    assert response.json()["issue"][0]["code"] == "not-supported"
    assert epr.get(f"/fhir/Patient?{query}").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "family:sounds-like=smith",
        "identifier:of-type=a|b|c",
        "_id:missing=true",
        "birthdate=yesterday",
        "birthdate=ap2000",
        "birthdate=2000-13",
        "birthdate:missing=perhaps",
        "identifier=a|b|c",
        "_count=many",
        "_count=-1",
        "_offset=x",
        "_id=" + ",".join("x" * (MAX_VALUES + 1)),
    ],
)
def test_what_cannot_be_answered_is_refused_even_when_lenient(
    epr: httpx.Client, query: str
) -> None:
    response = epr.get(f"/fhir/Patient?{query}")

    assert response.status_code == 400
    assert problems(response.json()) == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Task?_include=Task:focus", ["ServiceRequest"]),
        ("Task?_include=Task:patient&_include=Task:focus", ["Patient", "ServiceRequest"]),
        ("Task?_include=Task:*", ["Patient", "ServiceRequest"]),
        ("Task?_include=Task:subject:Device", []),
        ("Task?_revinclude=Provenance:target", ["Provenance"]),
        ("Patient?_id=a&_revinclude=Task:patient", ["Task"]),
        ("Patient?_id=b&_revinclude=Task:patient", []),
        ("Task?_count=0&_include=Task:focus", []),
    ],
)
def test_what_belongs_to_the_matches_can_come_along(
    epr: httpx.Client, path: str, expected: list[str]
) -> None:
    response = epr.get(f"/fhir/{path}", headers=STRICT)

    _found(response)
    included = [
        entry["resource"]["resourceType"]
        for entry in response.json().get("entry", [])
        if entry["search"]["mode"] == "include"
    ]
    assert sorted(included) == expected
    assert response.json()["total"] == 1, "what comes along is not counted"


def test_a_search_by_post_needs_a_form(epr: httpx.Client) -> None:
    assert epr.post("/fhir/Patient/_search", json={"family": "smith"}).status_code == 415


def test_a_large_count_is_answered_with_the_most_there_is(epr: httpx.Client) -> None:
    response = epr.get("/fhir/Patient?_count=99999999999999999999")

    assert len(_found(response)) == 3


def test_an_update_is_found_by_its_new_values_only(
    start: Callable[..., AbstractContextManager[httpx.Client]],
) -> None:
    with start() as epr:
        epr.put("/fhir/Patient/a", json=_person(*PEOPLE[0]))
        epr.put("/fhir/Patient/a", json=_person("a", *PEOPLE[1][1:]))

        assert _found(epr.get("/fhir/Patient?family=smith")) == ["a"]
        assert _found(epr.get("/fhir/Patient?given=zoe")) == []
