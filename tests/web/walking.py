"""A person without a browser's scripts: reads the forms of pages and posts them over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import urljoin

import httpx

from fhir_gateway.sandbox.htmlforms import PageForm, read_page

Answers = Mapping[str, list[str]]

#: Answers that lead through a medical request for oneself; tests change what they are about.
MEDICAL: Answers = {
    "request": ["pifu-medical"],
    "emergency-answer": ["none"],
    "who-for": ["me"],
    "medical-problem": ["Swollen hands"],
    "medical-onset": ["weeks"],
    "medical-course": ["worse"],
    "medical-tried": [""],
    "medical-help": ["advice"],
    "communication-needs": ["none"],
    "patient-given": ["Priya"],
    "patient-family": ["Sharma"],
    "patient-birth-date-day": ["12"],
    "patient-birth-date-month": ["3"],
    "patient-birth-date-year": ["1984"],
    "patient-sex": ["female"],
    "patient-postcode": ["LS6 2AB"],
    "patient-nhs-number-known": ["false"],
    "patient-mobile": ["07700 900101"],
    "verify-patient-mobile": ["false"],
    "preferred-contact": ["phone"],
    "times-to-avoid": ["any-time"],
    "declaration": ["true"],
}
#: Admin requests, with answers for whatever `admin-kind` asks for.
ADMIN: Answers = {
    **MEDICAL,
    "request": ["pifu-admin"],
    "appointment-request": ["cancel"],
    "appointment-date-day": ["14"],
    "appointment-date-month": ["12"],
    "appointment-date-year": ["2026"],
    "letter-request": ["form"],
    "letter-details": ["<b>A form</b> & more: 1 < 2"],
    "results-test": ["MRI of the hands"],
    "medication-request": ["question"],
    "medication-name": ["Methotrexate"],
    "contact-details-change": ["I moved."],
    "admin-other": ["Please call me.\nIn the evening."],
}
_MAX_PAGES = 40
_ERROR_LINE = re.compile(r'<ul class="nhsuk-list nhsuk-error-summary__list">(.*?)</ul>', re.S)
_MESSAGE = re.compile(r'<span class="nhsuk-error-message"[^>]*>(.*?)</span>\s*(?:<|$)', re.S)
_TAG = re.compile(r"<[^>]+>")


class Walker:
    """Goes from page to page. `page` is the last answer."""

    def __init__(self, http: httpx.Client, link: str) -> None:
        self.http = http
        self.link = link
        self.page = http.get(link)

    @property
    def path(self) -> str:
        """Where it is."""
        return self.page.url.path

    @property
    def heading(self) -> str:
        """The page's h1."""
        return read_page(self.page.text).heading

    @property
    def form(self) -> PageForm:
        """The page's first form."""
        return read_page(self.page.text).forms[0]

    def get(self, path: str) -> httpx.Response:
        """Go to an address."""
        self.page = self.http.get(urljoin(str(self.page.url), path))
        return self.page

    def post(self, answers: Answers, *, button: str = "", drop: str = "") -> httpx.Response:
        """Fill in the page's first form that has such a button and post it. `drop`: a field that is
        left out."""
        forms = read_page(self.page.text).forms
        form = next(
            (f for f in forms if not button or any(v == button for _, v in f.buttons)), forms[0]
        )
        posted: dict[str, list[str]] = {}
        for name, value in form.filled(dict(answers), button):
            if name != drop:
                posted.setdefault(name, []).append(value)
        self.page = self.http.post(urljoin(str(self.page.url), form.action), data=posted)
        return self.page

    def walk(
        self, answers: Answers, *, until: str, each: Callable[[], None] = lambda: None
    ) -> Walker:
        """Answer page after page until the path ends with `until`."""
        for _ in range(_MAX_PAGES):
            if self.path.endswith(until):
                return self
            self.post(answers)
            assert self.page.status_code == 200, (self.path, self.errors)
            each()
        raise AssertionError(f"never came to {until}; at {self.path}")

    @property
    def errors(self) -> list[str]:
        """The lines of the error summary."""
        found = _ERROR_LINE.search(self.page.text)
        if not found:
            return []
        return [_plain(line) for line in found[1].split("</li>") if _plain(line)]

    @property
    def messages(self) -> list[str]:
        """The messages beside the fields."""
        return [
            _plain(found).removeprefix("Error:").strip()
            for found in _MESSAGE.findall(self.page.text)
        ]

    def shown(self, name: str) -> str:
        """What a field of the page shows."""
        for form in read_page(self.page.text).forms:
            for control in form.controls:
                if control.name == name:
                    return control.value
        raise AssertionError(f"there is no field {name} on {self.path}")


def _plain(html: str) -> str:
    import html as entities

    return " ".join(entities.unescape(_TAG.sub("", html)).split())
