"""A security code that cannot be sent: the page says so and what to do, and nobody is stuck."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.web.conftest import running_pages
from tests.web.walking import MEDICAL, Walker

ANSWERS = {**MEDICAL, "patient-mobile": ["07700 900199"], "verify-patient-mobile": ["true"]}


def test_a_first_code_that_cannot_be_sent_is_not_said_to_be_sent(tmp_path: Path) -> None:
    with (
        running_pages(tmp_path) as pages,
        httpx.Client(follow_redirects=True, timeout=30) as http,
    ):
        # The provider is gone: its client speaks to a port where nobody listens.
        sender = pages.gateway.parts.sender
        sender._http.base_url = "http://127.0.0.1:9"  # type: ignore[attr-defined]
        someone = Walker(http, pages.link())
        someone.walk(ANSWERS, until="/code/verify-patient-mobile")

        text = someone.page.text
        assert "We could not send a text message just now" in text
        assert "We sent a text message" not in text
        assert "Go on without a code" in text
        assert "Send a new code" in text

        someone.post({}, button="resend")
        assert "We could not send a text message just now" in someone.page.text
        someone.post({}, button="skip")
        assert "/code/" not in someone.path
