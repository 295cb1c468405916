"""The page for testers without a shell, over real HTTP and in a real browser."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, Page
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_gateway import shipped
from fhir_gateway.conformance_mount import conformance_pages
from fhir_gateway.conformance_page.access import SECONDS
from fhir_gateway.conformance_page.app import create_conformance_app
from fhir_gateway.conformance_page.bench import Bench
from fhir_gateway.sandbox.epr.app import create_app as create_epr
from fhir_gateway.settings import Settings
from fhir_gateway.web.environment import mount_assets
from tests.conformance.writing import asserts, operation, script
from tests.serving import serve

TOKEN = "operators-token-of-the-tests"
WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


class Clock:
    """A clock that tests can set forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def epr() -> Iterator[str]:
    with serve(create_epr()) as base:
        yield base


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of one suite, of which a test passes, one fails, and one is skipped."""
    folder = tmp_path / "suites" / "small"
    folder.mkdir(parents=True)
    described = f"Of https://gateway.example.nhs.uk/{'callbacks-' * 8}"
    (folder / "suite.json").write_text(
        json.dumps({"name": "small", "title": "A small suite", "description": described})
    )
    read = operation("read", resource="Patient", params="/unknown")
    resource = script(
        [read, asserts(response="notFound")],
        [read, asserts(response="okay")],
        [operation("read", resource="Patient", params="/${id}"), asserts(response="notFound")],
        variable=[{"name": "id"}],
    )
    (folder / "script.json").write_text(json.dumps(resource))
    return folder.parent


@pytest.fixture
def base(home: Path, tmp_path: Path, epr: str, clock: Clock) -> Iterator[str]:
    """The pages, with the sandbox EPR as the only server that may be tested."""
    bench = Bench(home, tmp_path / "runs", shipped.read_profiles)
    app = create_conformance_app(bench, TOKEN, [epr.removeprefix("http://")], clock, https=False)
    assets = FastAPI()
    mount_assets(assets)

    class Both:
        """As the gateway puts them beside each other."""

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            below: ASGIApp = app if scope.get("path", "").startswith("/conf") else assets
            await below(scope, receive, send)

    with serve(Both()) as address:
        yield address


@pytest.fixture
def http(base: str) -> Iterator[httpx.Client]:
    """A tester who signed in."""
    with httpx.Client(base_url=base, follow_redirects=True) as client:
        assert client.post("/conformance/sign-in", data={"token": TOKEN}).status_code == 200
        yield client


def form(epr: str, **more: str) -> dict[str, str]:
    return {"suite": "small", "target": f"{epr}/fhir", "format": "json", **more}


def finished(http: httpx.Client, answer: httpx.Response) -> httpx.Response:
    """The page of a run that has ended."""
    deadline = time.monotonic() + 20
    while 'data-state="running"' in answer.text:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        answer = http.get(answer.url)
    return answer


def test_a_run_is_started_watched_and_downloaded(http: httpx.Client, epr: str) -> None:
    page = finished(http, http.post("/conformance/runs", data=form(epr, variables="id = none")))

    assert 'data-state="done"' in page.text
    assert "<li>2 pass</li>" in page.text
    assert "<li>1 fail</li>" in page.text
    archive = zipfile.ZipFile(io.BytesIO(http.get(f"{page.url}/reports.zip").content))
    assert {name.rpartition("/")[2] for name in archive.namelist()} == {
        "TestReport-small-script.json",
        "junit.xml",
        "network.har",
        "report.html",
        "results.json",
    }


def test_a_report_is_of_no_site_and_runs_only_its_own(http: httpx.Client, epr: str) -> None:
    page = finished(http, http.post("/conformance/runs", data=form(epr)))

    report = http.get(f"{page.url}/report.html")

    assert "Conformance report" in report.text
    assert "sandbox allow-scripts" in report.headers["content-security-policy"]


def test_the_token_for_the_server_is_nowhere_afterwards(
    http: httpx.Client, epr: str, tmp_path: Path
) -> None:
    token = "token-for-the-server-1"
    page = finished(http, http.post("/conformance/runs", data=form(epr, token=token)))

    assert 'data-state="done"' in page.text
    written = [file for file in (tmp_path / "runs").rglob("*") if file.is_file()]
    assert len(written) == 6
    for file in written:
        assert token.encode() not in file.read_bytes()


PATHS = ["/conformance/runs/0123456789abcdef", "/conformance/runs/0123456789abcdef/report.html"]


@pytest.mark.parametrize("path", [*PATHS, "/conformance/runs/0123456789abcdef/reports.zip"])
def test_nobody_without_the_token_gets_in(base: str, path: str) -> None:
    assert httpx.get(f"{base}{path}").status_code == 403
    assert httpx.get(f"{base}{path}", headers={"Authorization": "Bearer no"}).status_code == 403
    for cookie in ("", "99999999999.abc", "é.é", "1" * 50):
        forged = {"Cookie": f"conformance-session={cookie}".encode()}
        assert httpx.get(f"{base}{path}", headers=forged).status_code == 403


def test_no_run_is_started_without_the_token(base: str, epr: str, tmp_path: Path) -> None:
    assert httpx.post(f"{base}/conformance/runs", data=form(epr)).status_code == 403
    wrong = httpx.post(f"{base}/conformance/sign-in", data={"token": "wrong"})

    assert wrong.status_code == 403
    assert "not the operators" in wrong.text
    assert not (tmp_path / "runs").exists()


def test_a_session_ends(http: httpx.Client, clock: Clock) -> None:
    assert "Start" in http.get("/conformance").text

    clock.ahead = timedelta(seconds=SECONDS + 1)

    assert "Sign in" in http.get("/conformance").text


def test_signing_out(http: httpx.Client) -> None:
    assert "Sign in" in http.post("/conformance/sign-out").text


def test_another_site_cannot_start_a_run(http: httpx.Client, epr: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}

    answer = http.post("/conformance/runs", data=form(epr), headers=headers)

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"suite": "../../etc"}, "Choose a suite."),
        ({"suite": ""}, "Choose a suite."),
        ({"format": "ttl"}, "Choose JSON or XML."),
        ({"target": ""}, "Enter the http or https address"),
        ({"target": "file:///etc/passwd"}, "Enter the http or https address"),
        ({"target": "http://[::1"}, "Enter the http or https address"),
        ({"target": "http://user@127.0.0.1/"}, "Enter the http or https address"),
        ({"target": "http://169.254.169.254/latest"}, "may not be tested from here"),
        ({"target": "http://127.0.0.1/fhir"}, "may not be tested from here"),
        ({"target": "http://127.0.0.1:1/fhir"}, "may not be tested from here"),
        ({"variables": "nonsense"}, "Write each variable"),
        ({"only": "nothing-has-this"}, "No test of this suite"),
        ({"token": "ü"}, "no token has"),
    ],
)
def test_what_cannot_be_run_is_said_at_its_field(
    http: httpx.Client, epr: str, more: dict[str, str], said: str
) -> None:
    answer = http.post("/conformance/runs", data=form(epr, **more))

    assert answer.status_code == 400
    assert answer.text.count(said) == 2
    link = re.search(r'href="#([a-z]+)">', answer.text)
    assert link is not None
    assert f'id="{link[1]}"' in answer.text


def test_a_server_that_is_not_there_ends_the_run(
    http: httpx.Client, home: Path, tmp_path: Path
) -> None:
    bench = Bench(home, tmp_path / "other", shipped.read_profiles)
    app = create_conformance_app(
        bench, TOKEN, ["127.0.0.1:9"], lambda: datetime.now(UTC), https=False
    )
    with serve(app) as base, httpx.Client(base_url=base, follow_redirects=True) as client:
        client.post("/conformance/sign-in", data={"token": TOKEN})
        page = finished(client, client.post("/conformance/runs", data=form("http://127.0.0.1:9")))

    assert "<li>2 error</li>" in page.text


@pytest.mark.parametrize(
    "given",
    [{}, {"ops_token": TOKEN}, {"conformance_targets": ("epr.example",)}],
)
def test_the_page_is_off_unless_hosts_and_a_token_are_set(given: dict[str, Any]) -> None:
    assert conformance_pages(Settings(**given), lambda: datetime.now(UTC)) == {}


def test_the_page_is_on_with_both(tmp_path: Path) -> None:
    settings = Settings(ops_token=TOKEN, conformance_targets=("epr.example",), data_dir=tmp_path)

    assert list(conformance_pages(settings, lambda: datetime.now(UTC))) == ["/conformance"]


@pytest.fixture
def page(browser: Browser, base: str) -> Iterator[Page]:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{base}/conformance")
        yield page


def accessible(page: Page) -> None:
    found = Axe().run(page, options={"runOnly": WCAG}).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:100]) for one in found] == []


@pytest.mark.browser
def test_a_tester_in_a_browser(page: Page, epr: str) -> None:
    accessible(page)
    page.get_by_label("Operators' token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    accessible(page)

    page.get_by_role("button", name="Start").click()
    page.get_by_role("heading", name="There is a problem").wait_for()
    accessible(page)

    page.get_by_label("A small suite").check()
    page.get_by_label("Server", exact=True).fill(f"{epr}/fhir")
    page.get_by_role("button", name="Start").click()
    page.get_by_role("link", name="Download all reports (ZIP)").wait_for()
    accessible(page)

    page.get_by_role("link", name="Read the report").click()
    page.get_by_role("heading", name="Conformance report").wait_for()
    page.get_by_label("Passed (1)").uncheck()
    assert page.locator("details.test:visible").count() == 2


@pytest.mark.browser
def test_it_is_no_wider_than_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    page.get_by_label("Operators' token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Test a FHIR server").wait_for()

    assert page.evaluate("document.documentElement.scrollWidth") == 320
