"""A person at a browser: follows links from the sandbox phone, fills in pages, and is looked after
by axe on every page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page

#: WCAG 2.2 AA as axe tags its rules.
WCAG_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
_LINK = re.compile(r"https?://[^\s]+/r/[A-Za-z0-9_-]{22}")
_CODE = re.compile(r"^([0-9]{6}) ")
_FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
_MAX_PAGES = 40
_MESSAGE = ".//span[contains(@class,'nhsuk-error-message')]"
_NEAREST_MESSAGE = f"ancestor::*[{_MESSAGE}][1]/{_MESSAGE}"

Answers = Mapping[str, str | list[str]]


class Phone:
    """A phone of the sandbox, read by its JSON."""

    def __init__(self, addresses: Mapping[str, str], number: str) -> None:
        self._addresses = addresses
        self.number = number

    def texts(self) -> list[str]:
        """Its texts, oldest first."""
        answer = httpx.get(f"{self._addresses['phone']}/messages", params={"to": self.number})
        return [message["text"] for message in answer.raise_for_status().json()]

    def link(self) -> str:
        """Have the overview page text a link, and read it."""
        sent = httpx.post(f"{self._addresses['gateway']}/demo/link", data={"mobile": self.number})
        assert sent.status_code == 303
        return [match[0] for text in self.texts() if (match := _LINK.search(text))][-1]

    def codes(self) -> list[str]:
        """The security codes that arrived, oldest first."""
        return [match[1] for text in self.texts() if (match := _CODE.search(text))]


class Person:
    """Somebody who uses the pages. `axe` off: for walks whose pages others have looked at."""

    def __init__(self, page: Page, phone: Phone, *, axe: bool = True) -> None:
        self.page = page
        self.phone = phone
        self.axe = Axe() if axe else None
        self.failed_pages: list[str] = []
        page.on("response", self._note_failure)

    def open(self, url: str) -> None:
        """Go to an address."""
        self.page.goto(url)
        self.look()

    def look(self) -> None:
        """What everybody needs of every page: one h1, nothing beside the screen (WCAG 1.4.10), and
        axe finds nothing."""
        assert self.page.locator("h1").count() == 1, self.page.url
        assert self.page.evaluate(_FITS), f"{self.page.url} is wider than the screen"
        if self.axe is None:
            return
        found = self.axe.run(self.page, options={"runOnly": {"type": "tag", "values": WCAG_TAGS}})
        assert found.violations_count == 0, f"{self.page.url}\n{found.generate_report()}"

    @property
    def heading(self) -> str:
        """The page's h1."""
        return " ".join(self.page.locator("h1").inner_text().split())

    def names(self) -> set[str]:
        """The names of the fields of the page's first form."""
        return set(
            self.page.eval_on_selector_all(
                "main form:first-of-type [name]:not([type=hidden])",
                "elements => elements.map(element => element.name)",
            )
        )

    def fill(self, answers: Answers) -> None:
        """Fill in those fields of the page that there are answers for."""
        # Choices first: with scripts, some fields only appear when their option is chosen.
        for name in sorted(self.names() & answers.keys(), key=self._is_typed):
            given = answers[name]
            for value in given if isinstance(given, list) else [given]:
                self._set(self.page.locator(f'[name="{name}"]'), value)

    def _is_typed(self, name: str) -> bool:
        kind = self.page.locator(f'[name="{name}"]').first.get_attribute("type")
        return kind not in ("radio", "checkbox")

    def _set(self, fields: Locator, value: str) -> None:
        kind = fields.first.get_attribute("type")
        if kind in ("radio", "checkbox"):
            fields.and_(self.page.locator(f'[value="{value}"]')).check(force=True)
        else:
            fields.first.fill(value)

    def go_on(self) -> None:
        """Press Continue, or the page's first button, and look at where that leads."""
        go_on = self.page.locator("main form .app-continue")
        (go_on if go_on.count() else self.page.locator("main form button")).first.click()
        self.page.wait_for_load_state()
        self.look()

    def answer(self, answers: Answers) -> None:
        """Fill in the page and go on; the page must be content."""
        before = self.page.url
        self.fill(answers)
        self.go_on()
        assert not self.errors(), (before, self.errors())

    def walk(self, answers: Answers, *, until: str) -> None:
        """Answer page after page until the address ends with `until`, its query aside."""
        for _ in range(_MAX_PAGES):
            if urlsplit(self.page.url).path.endswith(until):
                return
            self.step(answers)
        raise AssertionError(f"never came to {until}; at {self.page.url}")

    def step(self, answers: Answers) -> None:
        """Answer this page. On the page of the security code, the newest code is typed."""
        if "security-code" in self.names():
            self.answer({"security-code": self.phone.codes()[-1]})
        else:
            self.answer(answers)

    def errors(self) -> list[str]:
        """The error summary's lines."""
        return self.page.locator(".nhsuk-error-summary__list li").all_inner_texts()

    def error_at(self, name: str) -> str:
        """The message beside a field."""
        field = self.page.locator(f'[name="{name}"]').first
        shown = field.locator(f"xpath={_NEAREST_MESSAGE}").first.inner_text()
        return shown.removeprefix("Error:").strip()

    def _note_failure(self, response: Any) -> None:
        if response.status >= 500:
            self.failed_pages.append(f"{response.status} {response.url}")
