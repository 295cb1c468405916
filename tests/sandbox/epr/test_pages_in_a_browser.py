"""The inbox in a browser: for everyone (axe-core, WCAG 2.2 AA), on phones, and without scripts."""

from __future__ import annotations

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.sandbox.epr.request_bundle import send_request

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def _check(page: Page) -> None:
    """Nothing for axe to find, and nothing beyond the edge of the screen."""
    found = Axe().run(page, options={"runOnly": WCAG}).response["violations"]
    assert [(violation["id"], violation["nodes"][0]["html"]) for violation in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scripts", [True, False])
def test_staff_work_through_the_inbox(
    epr: httpx.Client, browser: Browser, width: int, scripts: bool
) -> None:
    table = "<table><tr><th>Question</th></tr><tr><td>A rather long question</td></tr></table>"
    context = browser.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=scripts
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    elsewhere: list[str] = []
    page.on("request", lambda request: elsewhere.append(request.url))

    def check() -> None:
        if scripts:
            _check(page)

    page.goto(f"{epr.base_url}/")
    check()
    send_request(epr, "PF-1", proxy=True, narrative=table)
    send_request(epr, "PF-2", matched=False, admin=True)
    page.get_by_role("link", name="Refresh").click()
    check()
    page.get_by_role("link", name="PF-1").click()
    check()
    page.get_by_role("button", name="Mark as in progress").click()
    page.get_by_text("In progress", exact=True).wait_for()
    check()
    page.get_by_role("button", name="Mark as done").click()
    page.get_by_text("Done", exact=True).wait_for()
    assert page.get_by_role("button").count() == 0
    page.get_by_text("FHIR resources of this request").click()
    check()
    page.get_by_role("link", name="ServiceRequest").click()
    assert '"resourceType": "ServiceRequest"' in page.inner_text("body")
    page.goto(f"{epr.base_url}/tasks/none")
    check()
    context.close()
    assert {url.split("/")[2] for url in elsewhere} == {epr.base_url.netloc.decode()}
