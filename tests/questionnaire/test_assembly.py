"""Modules put in their place, several times if need be."""

from __future__ import annotations

import pytest

from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.questionnaire import assemble
from fhir_gateway.questionnaire.assembly import NotAssembled
from tests.questionnaire.making import CORE, SDC, ask, form, path, when

MODULE: Resource = {
    **form(
        ask("name"), ask("age", "integer", enableWhen=when("name", "exists", answerBoolean=True))
    ),
    "url": "https://example.org/Questionnaire/person",
}


def place(link_id: str, module: str, prefix: str = "") -> Element:
    extension = [
        {"url": f"{SDC}/sdc-questionnaire-subQuestionnaire", "valueCanonical": module},
        *(path(f"{CORE}/variable", f"'{prefix}'", "linkIdPrefix") if prefix else []),
    ]
    return ask(link_id, "display", extension=extension)


def test_the_items_of_a_module_take_the_place_of_its_placeholder() -> None:
    result = assemble(form(ask("a"), place("p", MODULE["url"]), ask("z")), resources=[MODULE])
    assert [item["linkId"] for item in result["item"]] == ["a", "name", "age", "z"]


def test_what_was_assembled_says_so_and_needs_no_assembly_any_more() -> None:
    needs = {"url": f"{SDC}/sdc-questionnaire-assemble-expectation", "valueCode": "assemble-root"}
    value_set = {"resourceType": "ValueSet", "id": "vs"}
    module = {**MODULE, "contained": [value_set]}
    root = form(place("p", MODULE["url"]), extension=[needs])
    result = assemble(root, resources=[module])
    assert result["extension"] == [
        {"url": f"{SDC}/sdc-questionnaire-assembledFrom", "valueCanonical": MODULE["url"]}
    ]
    assert result["contained"] == [value_set]
    assert root["item"][0]["linkId"] == "p"


def test_variables_of_a_placeholder_are_seen_by_what_takes_its_place() -> None:
    root = form(place("p", MODULE["url"], "x."))
    result = assemble(root, resources=[MODULE])
    names = [item["extension"][0]["valueExpression"]["name"] for item in result["item"]]
    assert names == ["linkIdPrefix", "linkIdPrefix"]


def test_one_module_stands_in_two_places_behind_prefixes() -> None:
    root = form(
        ask("me", "group", place("p1", MODULE["url"], "me.")),
        ask("you", "group", place("p2", MODULE["url"], "you.")),
    )
    result = assemble(root, resources=[MODULE])
    people = [[item["linkId"] for item in group["item"]] for group in result["item"]]
    assert people == [["me.name", "me.age"], ["you.name", "you.age"]]
    assert result["item"][1]["item"][1]["enableWhen"][0]["question"] == "you.name"
    with pytest.raises(NotAssembled, match="comes from two modules"):
        assemble(form(place("p", MODULE["url"]), place("r", MODULE["url"])), resources=[MODULE])


def test_a_module_that_is_missing_or_includes_itself_is_refused() -> None:
    with pytest.raises(NotAssembled, match="is not known here"):
        assemble(form(place("p", "https://example.org/none")))
    endless = {**form(place("p", MODULE["url"])), "url": MODULE["url"]}
    with pytest.raises(NotAssembled, match="includes itself"):
        assemble(endless, resources=[endless])
