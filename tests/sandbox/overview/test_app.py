"""The demo's overview page."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from fhir_gateway.journey.invitations import TooManyTexts
from fhir_gateway.sandbox.overview import Addresses, create_app
from fhir_gateway.sandbox.pds.personas import person
from tests.serving import serve

ADDRESSES = Addresses(
    gateway="http://127.0.0.1:1",
    fhir="http://127.0.0.1:1/fhir/R4",
    pds="http://127.0.0.1:2/pds",
    epr="http://127.0.0.1:3/fhir",
    phone="http://127.0.0.1:4",
    inbox="http://127.0.0.1:3",
    people="http://127.0.0.1:2",
)


class Texter:
    """Notes whom a link was texted to."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.error: Exception | None = None

    def __call__(self, number: str) -> str:
        if self.error:
            raise self.error
        self.sent.append(number)
        return "http://127.0.0.1:1/r/token"


@pytest.fixture(scope="module")
def kept_texter() -> Texter:
    """One for the server that all tests share."""
    return Texter()


@pytest.fixture
def texter(kept_texter: Texter) -> Texter:
    """What stands in for the gateway; it has texted nobody yet."""
    kept_texter.sent.clear()
    kept_texter.error = None
    return kept_texter


@pytest.fixture(scope="module")
def overview(kept_texter: Texter) -> Iterator[httpx.Client]:
    """A client of the page, below /demo as in the demo."""
    page = create_app(ADDRESSES, service_name="Rheumatology", text_link=kept_texter)
    app = Starlette(routes=[Mount("/demo", page)])
    with serve(app) as address, httpx.Client(base_url=f"{address}/demo", timeout=30) as client:
        yield client


def test_the_page_tells_the_story_and_leads_to_every_place(overview: httpx.Client) -> None:
    page = overview.get("/").text
    for address in (ADDRESSES.phone, ADDRESSES.inbox, ADDRESSES.people):
        assert address in page
    who = person("typical")
    for told in (who.given, who.family, who.postcode, who.mobile or ""):
        assert told in page


def test_a_link_is_texted_to_any_spelling_of_a_number(
    overview: httpx.Client, texter: Texter
) -> None:
    answer = overview.post("/link", data={"mobile": "07700 900 101"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/demo/?mobile=07700900101#sent"
    assert texter.sent == ["+447700900101"]
    assert "07700 900101" in overview.get("/", params={"mobile": "07700900101"}).text


@pytest.mark.parametrize("typed", ["", "nonsense", "020 7946 0123", "<script>", "0" * 5000])
def test_what_is_no_mobile_number_gets_an_error_and_no_text(
    overview: httpx.Client, texter: Texter, typed: str
) -> None:
    answer = overview.post("/link", data={"mobile": typed})
    assert answer.status_code == 422
    assert "Enter a UK mobile number" in answer.text
    assert "<script>x" not in answer.text
    assert texter.sent == []


def test_a_number_with_too_many_texts_is_said(overview: httpx.Client, texter: Texter) -> None:
    texter.error = TooManyTexts()
    answer = overview.post("/link", data={"mobile": "07700900101"})
    assert answer.status_code == 429
    assert "too many texts" in answer.text


def test_a_number_in_the_address_that_is_none_is_not_shown(overview: httpx.Client) -> None:
    assert "canary" not in overview.get("/", params={"mobile": "canary"}).text
