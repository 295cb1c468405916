"""HEAD answers like GET, without the body, and changes nothing."""

from __future__ import annotations

import httpx
import pytest

from tests.web.conftest import Pages


@pytest.mark.parametrize("path", ["/", "/healthz", "/privacy", "/nothing", "/fhir/R4/metadata"])
def test_head_answers_as_get_does_without_the_body(pages: Pages, path: str) -> None:
    got, headed = httpx.get(pages.base + path), httpx.head(pages.base + path)
    assert headed.status_code == got.status_code
    assert headed.headers["content-type"] == got.headers["content-type"]
    assert headed.headers["x-content-type-options"] == "nosniff"
    assert headed.content == b""


def test_a_link_that_is_looked_at_with_head_still_opens(pages: Pages) -> None:
    link = pages.link()
    assert httpx.head(link).status_code == 200
    assert httpx.get(link).status_code == 200
