"""All forms at hand, and where their value sets come from."""

from __future__ import annotations

import pytest

from fhir_gateway.fhir.terminology import NotExpandable
from fhir_gateway.fhir.types import Resource
from fhir_gateway.questionnaire.catalogue import Catalogue, UnknownQuestionnaire
from tests.questionnaire.making import URL, ask, form

ASKED = form(ask("q", "choice", answerValueSet="https://example.org/vs"))


class Flaky:
    """An Expander that fails the first time."""

    def __init__(self) -> None:
        self.asked = 0

    def expand(self, canonical: str, value_set: Resource | None) -> Resource:
        del value_set
        self.asked += 1
        if self.asked == 1:
            raise NotExpandable(canonical, "not now")
        return {"resourceType": "ValueSet", "expansion": {"contains": [{"code": "a"}]}}


def test_a_form_is_found_by_url_and_version_and_read_once() -> None:
    catalogue = Catalogue([ASKED])
    assert catalogue.definition(URL) is catalogue.definition(URL)
    assert catalogue.definition(f"{URL}|1").canonical == f"{URL}|1"
    with pytest.raises(UnknownQuestionnaire):
        catalogue.definition(f"{URL}|2")


def test_a_server_that_failed_is_asked_again_and_its_answer_kept() -> None:
    server = Flaky()
    definition = Catalogue([ASKED], server).definition(URL)
    with pytest.raises(NotExpandable):
        definition.options(definition.items[0])
    for _ in range(3):
        assert len(definition.options(definition.items[0])) == 1
    assert server.asked == 2
