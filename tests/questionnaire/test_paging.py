"""How a Questionnaire is cut into pages, and how an author decides otherwise."""

from __future__ import annotations

from typing import Any

from fhir_gateway.fhir.identifiers import BASE
from fhir_gateway.questionnaire.definition import definition_of
from fhir_gateway.questionnaire.enablement import Enablement
from fhir_gateway.questionnaire.paging import pages
from fhir_gateway.questionnaire.response import ResponseTree
from tests.web.forms import control, form, item, when


def names(*items: dict[str, Any], answers: dict[str, Any] | None = None) -> list[str]:
    response = {"resourceType": "QuestionnaireResponse", **(answers or {})}
    enablement = Enablement(ResponseTree(definition_of(form(*items)), response))
    return [page.name for page in pages(enablement)]


def one_page(group: dict[str, Any], value: bool) -> dict[str, Any]:
    url = f"{BASE}/StructureDefinition/questionnaire-onePage"
    return {**group, "extension": [{"url": url, "valueBoolean": value}]}


SHORT = [item("line", "string"), item("town", "string"), item("since", "date")]
MIXED = [item("a", "choice"), item("b", "text")]


def test_each_question_is_a_page_and_a_group_is_a_section() -> None:
    assert names(item("a", "string"), item("g", "group", item=MIXED)) == ["a", "a", "b"]


def test_a_few_short_questions_of_a_group_are_one_page() -> None:
    assert names(item("address", "group", item=SHORT)) == ["address"]


def test_long_conditional_or_many_questions_are_not_related() -> None:
    assert names(item("g", "group", item=[*SHORT, item("t", "text")])) == [
        "line",
        "town",
        "since",
        "t",
    ]
    conditional = item("c", "string", enableWhen=[when("line", answerString="x")])
    assert names(item("g", "group", item=[*SHORT, conditional])) == ["line", "town", "since"]
    many = [item(f"s{n}", "string") for n in range(5)]
    assert len(names(item("g", "group", item=many))) == 5
    assert names(item("g", "group", item=[item("only", "string")])) == ["only"]


def test_an_author_decides_otherwise() -> None:
    assert names(one_page(item("address", "group", item=SHORT), False)) == ["line", "town", "since"]
    assert names(one_page(item("g", "group", item=MIXED), True)) == ["g"]
    assert names(item("g", "group", item=MIXED, extension=[control("page")])) == ["g"]
    assert names(item("g", "group", item=MIXED, extension=[control("grid")])) == ["g"]


def test_all_instances_of_a_repeating_group_are_one_page() -> None:
    group = item("g", "group", repeats=True, item=MIXED)
    instance = {"linkId": "g", "item": [{"linkId": "b", "answer": [{"valueString": "x"}]}]}
    assert names(group, answers={"item": [instance, instance]}) == ["g"]


def test_what_cannot_be_answered_joins_another_page() -> None:
    note, known = item("note", "display"), item("known", "string", readOnly=True)
    assert names(note, known, item("a", "string"), item("end", "display")) == ["a"]
    assert names(note) == ["note"]


def test_headers_footers_and_hidden_items_are_no_pages() -> None:
    header = item("top", "display", extension=[control("header")])
    footer = item("bottom", "display", extension=[control("footer")])
    assert names(header, item("a", "string"), footer) == ["a"]
