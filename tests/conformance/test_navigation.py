from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.conformance import navigation

URL = "https://epr.example/fhir/Patient?name=a"
PAGES = {name: f"{URL}&page={name}" for name in ("first", "last", "next")}


def bundle(**more: Any) -> dict[str, Any]:
    links = more.pop("links", {"self": URL, **PAGES})
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": name, "url": url} for name, url in links.items()],
        **more,
    }


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ({"resourceType": "Patient"}, ["not a Bundle"]),
        (bundle(type="batch-response"), ["no searchset"]),
        (bundle(links={}), ["no link 'first'", "no link 'last'", "no link 'next'"]),
        (bundle(links={"self": URL}), ["no link 'first'", "no link 'last'", "no link 'next'"]),
        (bundle(links={"self": URL, "next": "?page=2"}), ["no link 'first'", "no link 'last'"]),
        (bundle(links={**PAGES, "next": "https://other.example/fhir?page=2"}), ["another"]),
        (bundle(links={**PAGES, "next": ""}), ["no address"]),
    ],
)
def test_what_is_wrong_with_links_is_said(resource: dict[str, Any], words: list[str]) -> None:
    found = navigation.problems(resource, URL)

    assert len(found) == len(words)
    assert all(word in text for word, text in zip(words, found, strict=True))


@pytest.mark.parametrize(
    "resource",
    [
        bundle(),
        bundle(links=PAGES),
        bundle(type="history"),
        bundle(links={"first": "?page=1", "last": "?page=3", "next": "?page=2"}),
        bundle(links={"self": URL, "first": "?page=1", "last": URL, "previous": "?page=2"}),
        bundle(links={"self": URL, "first": URL, "last": URL}),
    ],
)
def test_links_that_r4_asks_for_have_no_problem(resource: dict[str, Any]) -> None:
    assert navigation.problems(resource, URL) == []
