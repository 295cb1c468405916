"""Every page of the web app that belongs to a request asks for its session, and every form for its
token: routes that are added later too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fhir_gateway.store import requests
from fhir_gateway.store.requests import RequestState
from fhir_gateway.web import app as web
from fhir_gateway.web.routes import check, code, ends, landing, pages
from tests.web.conftest import Pages, running_pages
from tests.web.walking import MEDICAL, Walker

ROUTES = [
    (method, route.path)
    for router in (web.router, landing.router, pages.router, code.router, check.router, ends.router)
    for route in router.routes
    for method in sorted(getattr(route, "methods", ()))
    if method != "HEAD"
]
CHANGING = [path for method, path in ROUTES if method != "GET"]
OF_A_REQUEST = [(method, path) for method, path in ROUTES if "{draft_id}" in path]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """A gateway of their own."""
    with running_pages(tmp_path_factory.mktemp("routes")) as running:
        yield running


@pytest.fixture(scope="module")
def walker(gateway: Pages) -> Iterator[Walker]:
    """A person who answered everything and has not sent yet."""
    with httpx.Client(follow_redirects=True, timeout=30) as http:
        yield Walker(http, gateway.link()).walk(MEDICAL, until="/check")


def filled(path: str, walker: Walker) -> str:
    draft = walker.path.split("/")[2]
    token = walker.link.rpartition("/")[2]
    return path.format(draft_id=draft, token=token, **{"name:path": ""}).replace("//", "/")


def url(gateway: Pages, path: str, walker: Walker) -> str:
    named = path.replace("{name:path}", "patient-family")
    return gateway.base + filled(named, walker)


def untouched(gateway: Pages, walker: Walker) -> None:
    with gateway.gateway.database.transaction() as tx:
        assert requests.in_states(tx, tuple(RequestState)) == []
    assert walker.http.get(str(walker.page.url)).status_code == 200


def test_the_routes_are_found() -> None:
    assert len(CHANGING) >= 6
    assert len(OF_A_REQUEST) >= 10


@pytest.mark.hazard("H08")
@pytest.mark.parametrize("path", CHANGING)
@pytest.mark.parametrize("fields", [{}, {"csrf": "forged"}, {"csrf_token": "x" * 43}], ids=str)
def test_a_form_without_the_sessions_token_changes_nothing(
    gateway: Pages, walker: Walker, path: str, fields: dict[str, str]
) -> None:
    typed: dict[str, Any] = {"request": "pifu-medical", "declaration": "true", **fields}
    answer = walker.http.post(url(gateway, path, walker), data=typed, follow_redirects=False)
    assert answer.status_code == 403
    assert "<h1" in answer.text
    untouched(gateway, walker)


@pytest.mark.hazard("H08")
@pytest.mark.parametrize(("method", "path"), OF_A_REQUEST)
@pytest.mark.parametrize("cookies", ["none", "another person's"])
def test_who_has_not_the_session_sees_and_changes_nothing(
    gateway: Pages, walker: Walker, method: str, path: str, cookies: str
) -> None:
    with httpx.Client(follow_redirects=True, timeout=30) as http:
        if cookies != "none":
            Walker(http, gateway.link()).post({"request": ["pifu-medical"]})
        answer = http.request(method, url(gateway, path, walker))
    assert answer.status_code in (200, 403, 404, 410)
    assert "Priya" not in answer.text
    assert "Swollen" not in answer.text
    untouched(gateway, walker)


@pytest.mark.parametrize("path", sorted({path for _, path in ROUTES}))
def test_every_page_has_the_headers_that_keep_it_private(
    gateway: Pages, walker: Walker, path: str
) -> None:
    headers = walker.http.get(url(gateway, path, walker)).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] in ("no-referrer", "same-origin")
    assert "no-store" in headers["cache-control"]
