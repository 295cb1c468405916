"""The pictures of docs/images/: one medical request, and what else the guides show."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from fhir_gateway.sandbox.pds.personas import person as persona
from tests.journeys.browsing import Answers, Person, Phone
from tests.journeys.people import ADMIN, MEDICAL, about
from tests.journeys.records import Records
from tests.journeys.running import RunningDemo

IMAGES = Path(__file__).parents[1] / "docs" / "images"
NARROW = {"width": 390, "height": 760}
WIDE = {"width": 1280, "height": 760}
#: The page whose address ends so gives the picture of this name.
PICTURES = {
    "/page/emergency-check": "emergency",
    "/page/who-for": "who",
    "/page/medical-problem": "question",
    "/page/preferred-contact": "contact",
    "/check": "check",
}


def shoot(page: Page, name: str) -> None:
    """Take the whole page."""
    page.screenshot(path=IMAGES / f"{name}.png", full_page=True)
    print(f"docs/images/{name}.png")


def person_at(browser: Browser, demo: RunningDemo, number: str) -> Person:
    """Somebody with a phone of this number, looking at a text with a link."""
    return Person(browser.new_page(viewport=NARROW), Phone(demo.addresses, number), axe=False)


def medical(browser: Browser, demo: RunningDemo) -> None:
    """From the text to the reference, and on to the inbox."""
    who = persona("typical")
    patient = person_at(browser, demo, who.mobile or "")
    answers: Answers = {**MEDICAL, **about(who)}
    link = patient.phone.link()
    patient.open(demo.addresses["phone"])
    patient.page.locator("main a").first.click()
    shoot(patient.page, "text")
    patient.open(link)
    shoot(patient.page, "landing")
    while "/sent" not in patient.page.url:
        picture_of_page(patient)
        patient.step(answers)
    shoot(patient.page, "sent")
    Records(demo.addresses).arrived(patient.page.locator(".nhsuk-panel strong").inner_text())
    patient.page.set_viewport_size(WIDE)
    patient.open(demo.addresses["epr"].removesuffix("/fhir"))
    shoot(patient.page, "inbox")
    patient.open(demo.addresses["gateway"])
    shoot(patient.page, "overview")


def picture_of_page(patient: Person) -> None:
    """Where the page is one of those that the guides show."""
    for end, name in PICTURES.items():
        if patient.page.url.endswith(end):
            shoot(patient.page, name)
    if patient.page.url.endswith("/page/patient-birth-date"):
        shoot(patient.page, "birth-date")
        patient.fill({"patient-birth-date-day": "31", "patient-birth-date-month": "2"})
        patient.fill({"patient-birth-date-year": "1984"})
        patient.go_on()
        shoot(patient.page, "error")
    if "security-code" in patient.names():
        shoot(patient.page, "code")


def admin(browser: Browser, demo: RunningDemo) -> None:
    """The first page of an admin request that is its own, and the emergency stop."""
    patient = person_at(browser, demo, "07700 900301")
    patient.open(patient.phone.link())
    patient.walk({**ADMIN, **about(persona("typical"))}, until="/page/admin-kind")
    shoot(patient.page, "admin")
    hurt = person_at(browser, demo, "07700 900302")
    hurt.open(hurt.phone.link())
    hurt.step({"request": "pifu-medical"})
    hurt.step({"emergency-answer": "at-least-one"})
    shoot(hurt.page, "stop")


def main() -> None:
    """Start a demo, take the pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningDemo(Path(folder)) as demo,
        sync_playwright() as playwright,
    ):
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        medical(browser, demo)
        admin(browser, demo)
        browser.close()


if __name__ == "__main__":
    main()
