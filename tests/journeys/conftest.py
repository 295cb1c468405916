"""A running demo and a browser, once per test process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.browsing import Person, Phone
from tests.journeys.records import Records
from tests.journeys.running import RunningDemo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """A demo that many journeys share."""
    with RunningDemo(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture
def records(demo: RunningDemo) -> Records:
    """The EPR of the shared demo."""
    return Records(demo.addresses)


@pytest.fixture
def page(browser: Browser, demo: RunningDemo, width: int) -> Iterator[Page]:
    """A fresh browser window. It must load nothing from anywhere but the demo's own addresses."""
    context = browser.new_context(viewport={"width": width, "height": 844})
    opened = context.new_page()
    opened.set_default_timeout(15_000)
    foreign: list[str] = []
    hosts = tuple({a.split("/fhir")[0] for a in demo.addresses.values()})
    opened.on("request", lambda r: None if r.url.startswith(hosts) else foreign.append(r.url))
    yield opened
    context.close()
    assert foreign == []


@pytest.fixture
def person(page: Page, demo: RunningDemo) -> Iterator[Callable[..., Person]]:
    """Makes a person with a phone of this number. No page they see may fail. `axe` off: for
    journeys over pages that others look at."""
    made: list[Person] = []

    def make(number: str, *, axe: bool = True) -> Person:
        made.append(Person(page, Phone(demo.addresses, number), axe=axe))
        return made[-1]

    yield make
    assert [failure for one in made for failure in one.failed_pages] == []
