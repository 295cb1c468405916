from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
from axe_playwright_python.sync_playwright import Axe
from lxml import html
from playwright.sync_api import Browser, Page

from fhir_gateway.conformance import coverage, html_report
from fhir_gateway.conformance.results import Outcome
from tests.conformance import report_runs

WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


def test_nothing_of_it_is_loaded_from_anywhere() -> None:
    page = html.document_fromstring(html_report.document(report_runs.run()))

    assert page.xpath("//link | //img | //iframe | //object | //embed | //*[@src]") == []
    [policy] = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_a_link_that_is_no_web_address_is_no_link() -> None:
    page = html_report.document(report_runs.run()).decode()

    assert 'href="javascript' not in page


def test_each_requirement_has_the_worst_outcome_of_its_tests() -> None:
    covered = coverage.of_run(report_runs.run())

    assert [one.requirement.specification for one in covered] == ["FHIR", "Local"]
    assert all(one.outcome == Outcome.ERROR for one in covered)
    assert [len(one.tests) for one in covered] == [5, 5]


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The report of a run against a hostile server, in a browser that may not reach anything."""
    file = tmp_path / "report.html"
    file.write_bytes(html_report.document(report_runs.run()))
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        page.goto(file.as_uri())
        yield page


@pytest.mark.browser
def test_what_a_server_sent_is_shown_and_never_run(page: Page) -> None:
    assert page.evaluate("window.hacked") is None
    assert page.locator("img, iframe, main script").count() == 0
    assert "<script>window.hacked=1</script>" in page.locator("main").inner_text()


@pytest.mark.browser
def test_it_is_accessible(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

    found = Axe().run(page, options={"runOnly": WCAG}).response["violations"]

    assert [(one["id"], one["nodes"][0]["html"][:100]) for one in found] == []


@pytest.mark.browser
def test_tests_are_filtered_by_outcome(page: Page) -> None:
    shown = page.locator("details.test:visible")
    assert shown.count() == 5

    page.get_by_label("Passed (1)").uncheck()
    page.get_by_label("Skipped (1)").uncheck()

    assert shown.count() == 3


@pytest.mark.browser
def test_a_requirement_leads_to_its_test(page: Page) -> None:
    page.get_by_role("cell").get_by_role("link", name="Test pass").first.click()

    opened = page.locator("details.test[data-outcome=pass]")
    assert opened.get_attribute("open") is not None


@pytest.mark.browser
def test_printed_it_has_every_test_open(page: Page) -> None:
    printed = pypdfium2.PdfDocument(io.BytesIO(page.pdf()))

    text = "".join(sheet.get_textpage().get_text_bounded() for sheet in printed)
    for outcome in Outcome:
        assert f"suite/script/{outcome}" in text
    assert "Copy as curl" not in text


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 375, 1280])
def test_it_is_no_wider_than_a_phone(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for details in page.query_selector_all("details"):
        details.evaluate("one => { one.open = true }")

    assert page.evaluate("document.documentElement.scrollWidth") <= width
