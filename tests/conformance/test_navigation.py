from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.conformance import navigation

URL = "https://epr.example/fhir/Patient?name=a"


def bundle(**more: Any) -> dict[str, Any]:
    links = more.pop("links", {"self": URL})
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": name, "url": url} for name, url in links.items()],
        **more,
    }


ENTRY = {"resource": {"resourceType": "Patient"}, "search": {"mode": "match"}}


@pytest.mark.parametrize(
    ("resource", "word"),
    [
        ({"resourceType": "Patient"}, "not a Bundle"),
        (bundle(type="batch-response"), "no searchset"),
        (bundle(links={}), "no link 'self'"),
        (bundle(links={"self": URL, "next": "https://other.example/fhir?page=2"}), "another"),
        (bundle(links={"self": URL, "next": ""}), "no address"),
        (bundle(total=2, entry=[ENTRY]), "no link 'next'"),
    ],
)
def test_what_is_wrong_with_links_is_said(resource: dict[str, Any], word: str) -> None:
    assert word in "; ".join(navigation.problems(resource, URL))


@pytest.mark.parametrize(
    "resource",
    [
        bundle(),
        bundle(links={"self": "Patient?name=a"}),
        bundle(total=2, entry=[ENTRY], links={"self": URL, "next": "?page=2"}),
        bundle(total=1, entry=[ENTRY, {"search": {"mode": "include"}}]),
        bundle(total=7),
    ],
)
def test_complete_links_have_no_problem(resource: dict[str, Any]) -> None:
    assert navigation.problems(resource, URL) == []
