"""Accessibility of pages that were rendered before: axe-core in Chromium, without a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Route, sync_playwright

from fhir_gateway import web
from fhir_gateway.web.environment import assets_path

#: WCAG 2.2 AA as axe tags its rules.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
_STATIC = Path(web.__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def violations(pages: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """For each page (a name, its HTML), what axe finds: rule and the element."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium())
        context = browser.new_context(viewport={"width": 390, "height": 844})
        page = context.new_page()
        axe = Axe()
        current = ""

        def fulfil(route: Route) -> None:
            path = urlsplit(route.request.url).path
            if path == "/page":
                route.fulfill(body=current, content_type="text/html; charset=utf-8")
            elif path.startswith("/assets/"):
                _asset(route, path)
            else:
                route.fulfill(status=404, body="")

        context.route("**/*", fulfil)
        for name, html in pages:
            current = html
            page.goto("http://127.0.0.1/page")
            result = axe.run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
            yield (
                name,
                [
                    f"{found['id']}: {found['nodes'][0]['html'][:160]}"
                    for found in result.response["violations"]
                ],
            )
        browser.close()


def _asset(route: Route, path: str) -> None:
    frontend = assets_path()
    inside = path.removeprefix(frontend + "/") if path.startswith(frontend) else ""
    file = _STATIC / "nhsuk" / inside if inside else _STATIC / path.removeprefix("/assets/")
    if not file.is_file():
        route.fulfill(status=404, body="")
        return
    kind = _TYPES.get(file.suffix, "application/octet-stream")
    route.fulfill(body=file.read_bytes(), content_type=kind)


def _chromium() -> str | None:
    debian = Path("/usr/bin/chromium")
    return str(debian) if debian.exists() else None
