"""Every kind of question in a real browser, on a phone and on a desktop, with and without scripts;
axe looks at every page."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from benchmarks import axe
from fhir_gateway.web.preview import create_preview_app
from tests.journeys.browsing import Person, Phone
from tests.serving import serve
from tests.web.forms import components
from tests.web.previewing import trial_of

pytestmark = [pytest.mark.browser]


@pytest.fixture(params=[True, False], ids=["scripts", "no-scripts"])
def scripts(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@dataclass
class Screen:
    """Somebody at the preview of the form with every kind of question."""

    person: Person
    base: str
    scripts: bool

    def press(self, words: str) -> None:
        """Press a button of the page, and look at what comes."""
        button = self.person.page.get_by_role("button", name=words).first
        assert button.count() == 1, (words, self.person.page.url, self.person.errors())
        button.click()
        self.person.page.wait_for_load_state()
        self.person.look()

    def on(self, name: str) -> None:
        assert self.person.page.url.endswith(f"/page/{name}"), self.person.page.url


@pytest.fixture
def screen(browser: Browser, width: int, scripts: bool) -> Iterator[Screen]:
    with serve(create_preview_app([trial_of(components())])) as base:
        context = browser.new_context(
            viewport={"width": width, "height": 844}, java_script_enabled=scripts
        )
        window = context.new_page()
        window.set_default_timeout(15_000)
        wrong: list[str] = []
        window.on("pageerror", lambda error: wrong.append(str(error)))
        window.on(
            "console",
            lambda said: wrong.append(said.text) if "Content Security" in said.text else None,
        )
        person = Person(window, Phone({}, ""), axe=scripts)
        person.open(f"{base}/1/")
        yield Screen(person, base, scripts)
        context.close()
        assert person.failed_pages == []
        assert wrong == []


def test_every_kind_of_question_can_be_used(screen: Screen, tmp_path: Path) -> None:
    person, page = screen.person, screen.person.page
    nested = page.locator("[name=cigarettes]")
    expect(nested).to_be_hidden()
    person.fill({"smoker": "true"})
    if screen.scripts:
        expect(nested).to_be_visible()
        person.fill({"smoker": "false"})
        expect(nested).to_be_hidden()
        person.fill({"smoker": "true"})
    else:
        person.go_on()
        screen.on("smoker")
        expect(nested).to_be_visible()
    person.go_on()
    assert person.errors() == ["Enter how many cigarettes a day"]
    assert page.title().startswith("Error: ")
    page.locator(".nhsuk-error-summary__list a").click()
    if screen.scripts:
        assert page.evaluate("document.activeElement.name") == "cigarettes"
    person.answer({"cigarettes": "5"})
    person.answer({"symptom": ["pain", "~other"], "symptom-other": "Itching"})
    person.fill({"medicine-search": "metho"})
    screen.press("Search")
    person.answer({"medicine": "m14"})
    page.locator("[name=joint]").select_option("knee")
    person.go_on()
    person.answer({"pain": "7"})
    person.fill({"weight": "80"})
    page.locator("[name=weight-unit]").select_option("kg")
    person.go_on()
    person.answer({"height": "180.5"})
    person.answer({"started-day": "27", "started-month": "3", "started-year": "2026"})
    person.answer({"call-time-hour": "9", "call-time-minute": "30"})
    photo(screen, tmp_path)
    person.answer({"picture": "a"})
    person.fill({"substance@0": "Penicillin"})
    screen.press("Add another")
    person.fill({"substance@1": "Nuts"})
    screen.press("Remove Allergy 1")
    assert page.locator("[name='substance@0']").input_value() == "Nuts"
    person.go_on()
    person.fill({"other-name~0": "Ann"})
    screen.press("Add another")
    person.answer({"other-name~1": "Bea"})
    person.answer({"abroad": "no"})
    person.answer({"line": "1 High Street", "town": "Leeds", "code": "LS1 4AP"})
    assert person.heading == "Check your answers before you send your request"
    for said in (
        "Itching",
        "Methotrexate",
        "80 kilograms",
        "27 March 2026",
        "9:30am",
        "Nuts",
        "Bea",
    ):
        assert page.get_by_text(said, exact=True).count() >= 1, said
    page.get_by_role("link", name="Change which joint is it?").click()
    person.look()
    person.go_on()
    assert page.url.endswith("/check")
    person.go_on()
    assert page.get_by_text("The completed response is valid.").is_visible()


def photo(screen: Screen, folder: Path) -> None:
    """Choose a photo; with scripts it is sent at once, without with a button."""
    page = screen.person.page
    file = folder / "IMG_0001.jpg"
    Image.new("RGB", (300, 200), (0, 94, 184)).save(file)
    page.locator("input[type=file]").set_input_files(file)
    if not screen.scripts:
        screen.press("Upload")
    expect(page.locator(".app-file__preview")).to_be_visible()
    assert page.locator(".app-file__preview").evaluate("image => image.naturalWidth") == 300
    assert page.get_by_text("IMG_0001").count() == 0
    screen.person.look()
    screen.person.go_on()


def test_pages_hold_at_twice_the_size_of_text_and_on_paper(browser: Browser) -> None:
    with serve(create_preview_app([trial_of(components())])) as base:
        context = browser.new_context(viewport={"width": 1280, "height": 844})
        page = context.new_page()
        for name in ("smoker", "symptom"):
            page.goto(f"{base}/1/page/{name}")
            page.evaluate("document.documentElement.style.fontSize = '200%'")
            wide = page.evaluate(
                "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            )
            assert not wide, name
            page.emulate_media(media="print")
            assert not page.locator("main form .nhsuk-button").first.is_visible()
            page.emulate_media(media="screen")
        context.close()


def test_the_check_for_accessibility_finds_what_is_wrong() -> None:
    broken = '<html lang="en"><title>x</title><main><h1>x</h1><input name="a"></main></html>'
    pages = [("broken", broken), ("empty", "<html><main></main></html>")]
    # In a thread of its own: this one drives the browser of the other tests.
    with ThreadPoolExecutor(1) as pool:
        found = dict(pool.submit(lambda: list(axe.violations(pages))).result())
    assert any(line.startswith("label:") for line in found["broken"])
    assert any(line.startswith("html-has-lang:") for line in found["empty"])
