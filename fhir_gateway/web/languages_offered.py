"""The languages that a Questionnaire's pages can be read in."""

from __future__ import annotations

from typing import Any

from fhir_gateway.fhir.types import Resource, as_str
from fhir_gateway.questionnaire.translation import languages
from fhir_gateway.web.words import name_of


def offered(published: Resource) -> list[str]:
    """The languages of a Questionnaire: its own first, then its translations."""
    own = as_str(published.get("language")) or "en"
    return list(dict.fromkeys([own, *languages(published)]))


def choice(published: Resource, current: str) -> list[dict[str, Any]]:
    """The languages to choose from, when there are several."""
    tags = offered(published)
    if len(tags) < 2:  # noqa: PLR2004
        return []
    now = current or tags[0]
    return [{"tag": tag, "name": name_of(tag), "current": tag == now} for tag in tags]
