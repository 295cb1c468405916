from __future__ import annotations

import html
import re

import httpx
import pytest

from fhir_gateway.fhir.identifiers import spaced_nhs_number
from fhir_gateway.sandbox.pds.app import create_app
from fhir_gateway.sandbox.pds.personas import people
from fhir_gateway.sandbox.pds.population import Population, create_population
from fhir_gateway.sandbox.pds.record import Record
from tests.sandbox.pds.client import Client
from tests.serving import serve


def text(page: httpx.Response) -> str:
    """What a reader sees, with single spaces."""
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    body = re.sub(r"<script.*?</script>", "", page.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def test_every_persona_is_shown_with_all_that_must_be_typed(pds: Client) -> None:
    page = text(pds.http.get("/"))
    for who in people():
        assert f"{who.given} {who.family}" in page
        assert spaced_nhs_number(who.nhs_number) in page
        assert who.postcode in page
        assert who.story in page
        assert (who.mobile or "None") in page
    assert "12 March 1984" in page
    assert f"There are {len(create_population()) - len(people())} other people" in page
    assert "Nobody here is real." in page


def test_the_page_names_the_address_of_the_api(pds: Client) -> None:
    assert f"{pds.http.base_url}/personal-demographics/FHIR/R4".replace("//p", "/p") in text(
        pds.http.get("/")
    )


def test_the_page_loads_nothing_from_another_host(pds: Client) -> None:
    page = pds.http.get("/")
    loaded = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', page.text)
    assert loaded
    assert all(address.startswith("/") for address in loaded)
    assert all(pds.http.get(address).status_code == 200 for address in loaded)
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_a_table_turns_into_a_list_on_a_phone(pds: Client) -> None:
    page = pds.http.get("/").text
    assert "nhsuk-table--responsive" in page
    assert 'name="viewport"' in page


@pytest.mark.parametrize("key", [p.key for p in people()])
def test_each_persona_has_a_page_with_search_and_answer(pds: Client, key: str) -> None:
    page = pds.http.get(f"/people/{key}")
    assert '"resourceType"' in text(page)
    url = re.search(r'"(http[^"]+/Patient\?[^"]+)"', html.unescape(page.text))
    assert url
    shown = httpx.get(url[1], headers={"X-Request-ID": "60E0B220-8136-4CA5-AE46-1D97EF59D068"})
    assert f"status {shown.status_code}" in text(page)
    body = shown.json()
    assert f'"resourceType": "{body["resourceType"]}"' in text(page)
    if body.get("total"):
        assert f'"id": "{body["entry"][0]["resource"]["id"]}"' in text(page)


def test_an_unknown_persona_has_no_page(pds: Client) -> None:
    assert pds.http.get("/people/nobody").status_code == 400


def test_a_population_without_personas_has_a_page_too() -> None:
    app = create_app(population=Population([Record("9990001308")]))
    with serve(app) as url:
        page = text(httpx.get(url))
        assert httpx.get(f"{url}/people/typical").status_code == 400
    assert "There is 1 other person" in page
    assert "Priya" not in page
