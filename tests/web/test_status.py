"""The page that tells how far a request is, over HTTP: to who has reference and phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from fhir_gateway.delivery.showing import show_request
from fhir_gateway.journey.status import normalise_reference
from fhir_gateway.store import requests, resources
from tests.web.conftest import Pages
from tests.web.walking import MEDICAL, Walker

_numbers = count(700)
_CODE = re.compile(r"^([0-9]{6}) is your security code")


class Asker:
    """Somebody at the status page, with a request that was sent."""

    def __init__(self, pages: Pages, http: httpx.Client) -> None:
        self.pages, self.http = pages, http
        self.mobile = f"07700 900{next(_numbers)}"
        walker = Walker(http, pages.link())
        answers = {**MEDICAL, "patient-mobile": [self.mobile]}
        walker.walk(answers, until="/check").post(answers)
        found = re.search(r"<strong>([0-9A-Z]{4}-[0-9A-Z]{4})</strong>", walker.page.text)
        assert found
        self.reference = found[1]
        self.walker = walker

    def ask(self, reference: str, mobile: str) -> httpx.Response:
        self.walker.get("/status")
        return self.walker.post({"reference": [reference], "mobile": [mobile]})

    def code(self) -> str:
        number = "+44" + self.mobile.replace(" ", "")[1:]
        texts = [m[1] for m in map(_CODE.match, self.pages.texts(number)) if m]
        return texts[-1] if texts else ""

    def told(self) -> str:
        self.ask(self.reference, self.mobile)
        code = self.code()
        return self.walker.post({"security-code": [code]}).text

    def write_task(self, status: str) -> None:
        """What the team does."""
        gateway = self.pages.gateway
        with gateway.database.transaction() as tx:
            request = requests.by_reference(tx, self.reference)
        assert request is not None
        show_request(gateway.parts, request.id)
        with gateway.database.transaction() as tx:
            task = resources.of_request(tx, "Task", request.id)
            assert task is not None
            assert task.resource is not None
            reason = {"statusReason": {"text": "Canary"}, "note": [{"text": "Canary"}]}
            resources.write(
                tx,
                {**task.resource, "status": status, **reason},
                provider=task.provider,
                now=self.pages.clock(),
                by_client=True,
            )


@pytest.fixture
def asker(pages: Pages) -> Iterator[Asker]:
    with httpx.Client(follow_redirects=True, timeout=30) as http:
        yield Asker(pages, http)


@pytest.mark.hazard("H42")
@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("received", "We have received your request"),
        ("on-hold", "We have received your request"),
        ("in-progress", "Your request is being looked at"),
        ("completed", "Your request has been dealt with"),
        ("rejected", "Your request could not be dealt with"),
    ],
)
def test_what_the_team_says_is_told_in_plain_words(asker: Asker, status: str, words: str) -> None:
    asker.write_task(status)
    page = asker.told()
    assert words in page
    assert asker.reference in page
    assert "Canary" not in page
    assert "Swollen" not in page
    if status == "rejected":
        assert "020 7946 0123" in page


def test_before_anything_has_happened_it_is_received(asker: Asker) -> None:
    assert "We have received your request" in asker.told()


def test_a_wrong_code_tells_nothing(asker: Asker) -> None:
    asker.ask(asker.reference, asker.mobile)
    wrong = "000000" if asker.code() != "000000" else "111111"
    asker.walker.post({"security-code": [wrong]})
    assert asker.walker.page.status_code == 422
    assert "incorrect" in asker.walker.errors[0]


@pytest.mark.hazard("H42")
def test_another_number_or_reference_looks_the_same_and_texts_nobody(asker: Asker) -> None:
    other = f"07700 900{next(_numbers)}"
    mine = asker.ask(asker.reference, asker.mobile)
    pages = [asker.ask(asker.reference, other), asker.ask("2222-2222", asker.mobile)]
    for page in pages:
        assert page.status_code == mine.status_code == 200
        assert without_tokens(page.text) == without_tokens(mine.text)
    assert asker.pages.texts("+44" + other.replace(" ", "")[1:]) == []
    asker.ask(asker.reference, other)
    asker.walker.post({"security-code": ["123456"]})
    assert "expired" in asker.walker.errors[0]


def without_tokens(page: str) -> str:
    return re.sub(r'(value|nonce)="[^"]*"', "", page)


def test_what_is_no_reference_or_number_is_said_beside_the_field(asker: Asker) -> None:
    page = asker.ask("7K2M", "12")
    assert page.status_code == 422
    assert len(asker.walker.errors) == 2


def test_a_hidden_field_that_is_not_ours_begins_again(asker: Asker) -> None:
    asker.ask(asker.reference, asker.mobile)
    token = re.search(r'name="form_token" value="([^"]*)"', asker.walker.page.text)
    assert token
    given = {"form_token": token[1], "kept": "AAAA", "security-code": "123456"}
    page = asker.http.post(f"{asker.pages.base}/status", data=given)
    assert "See how far your request is" in page.text


def test_references_are_read_as_people_type_them() -> None:
    assert normalise_reference(" 7k2m 9qxd ") == "7K2M-9QXD"
    assert normalise_reference("7K2M–9QXD") == "7K2M-9QXD"
    for wrong in ("", "7K2M", "7K2M-9QXD-1", "7K2M-9QXÄ"):
        assert normalise_reference(wrong) is None


@pytest.mark.browser
@pytest.mark.xdist_group("pages")
def test_the_pages_in_a_real_browser_have_nothing_for_axe(
    browser: Browser, pages: Pages, asker: Asker, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844})
    window = context.new_page()
    window.set_default_timeout(15_000)
    window.goto(f"{pages.base}/status")
    assert violations(window) == []
    window.get_by_role("button", name="Continue").click()
    assert window.get_by_role("alert").inner_text().startswith("There is a problem")
    assert violations(window) == []
    window.get_by_label("Your reference").fill(asker.reference)
    window.get_by_label("Your mobile number").fill(asker.mobile)
    window.get_by_role("button", name="Continue").click()
    assert violations(window) == []
    window.get_by_label("Enter your security code").fill(asker.code())
    window.get_by_role("button", name="Continue").click()
    assert window.get_by_role("heading", name="We have received your request").is_visible()
    assert violations(window) == []
    context.close()


def violations(window: Page) -> list[str]:
    """What axe finds on a page."""
    found = Axe().run(window, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    return [str(one["id"]) for one in found.response["violations"]]
