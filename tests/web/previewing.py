"""A preview in the test's own process, and somebody who walks through it over HTTP."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from fhir_gateway.questionnaire.definition import definition_of
from fhir_gateway.web.preview import Trial, create_preview_app
from tests.serving import serve
from tests.web.walking import Walker

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=ZoneInfo("Europe/London"))


def trial_of(questionnaire: dict[str, Any]) -> Trial:
    """A Questionnaire ready to be filled in."""
    return Trial("1", definition_of(questionnaire), lambda: NOW)


class Visitor(Walker):
    """Somebody at a preview, who can look at the response."""

    def __init__(self, http: httpx.Client, base: str, trial: Trial) -> None:
        super().__init__(http, f"{base}/1/")
        self.base = base
        self.trial = trial

    def answers(self) -> dict[str, list[Any]]:
        """linkId → the values of all its answers in the completed response."""
        found: dict[str, list[Any]] = {}

        def read(holder: dict[str, Any]) -> None:
            for element in holder.get("item", []):
                for answer in element.get("answer", []):
                    value = next(v for k, v in answer.items() if k.startswith("value"))
                    found.setdefault(element["linkId"], []).append(value)
                    read(answer)
                read(element)

        read(self.http.get(f"{self.base}/1/response").json())
        return found


@contextlib.contextmanager
def preview(questionnaire: dict[str, Any]) -> Iterator[Visitor]:
    """A visitor on the first page of a Questionnaire."""
    trial = trial_of(questionnaire)
    with (
        serve(create_preview_app([trial])) as base,
        httpx.Client(follow_redirects=True, timeout=30) as http,
    ):
        yield Visitor(http, base, trial)
