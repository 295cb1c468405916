"""A draft onto another version of its Questionnaire."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_gateway.questionnaire import validate_response
from fhir_gateway.questionnaire.carry import carry_over
from fhir_gateway.questionnaire.definition import definition_of
from tests.web.forms import form, item, options


def draft(*elements: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "https://example.org/q/form|1",
        "status": "in-progress",
        "item": list(elements),
    }


def answered(link_id: str, *answers: dict[str, Any]) -> dict[str, Any]:
    return {"linkId": link_id, "answer": list(answers)}


def carried(old: dict[str, Any], new: dict[str, Any], response: dict[str, Any]):  # type: ignore[no-untyped-def]
    return carry_over(response, definition_of(old), definition_of(new))


def test_answers_move_with_their_question_into_and_out_of_groups() -> None:
    old = form(item("a", "string"), item("g", "group", item=[item("b", "string")]))
    new = form(item("g", "group", item=[item("a", "string")]), item("b", "string"), version="2")
    response = draft(
        answered("a", {"valueString": "x"}),
        {"linkId": "g", "item": [answered("b", {"valueString": "y"})]},
    )
    made = carried(old, new, response)
    assert made.dropped == {}
    assert made.response["questionnaire"].endswith("|2")
    assert [i["linkId"] for i in made.response["item"]] == ["g", "b"]


def test_what_does_not_fit_is_dropped_and_named() -> None:
    old = form(item("gone", "string", "Gone?"), item("type", "string", "Typed?"),
               item("pick", "choice", "Picked?", repeats=True, answerOption=options("a", "b")),
               item("many", "string", "Many?", repeats=True))  # fmt: skip
    new = form(item("type", "integer", "Typed?"),
               item("pick", "choice", "Picked?", repeats=True, answerOption=options("b")),
               item("many", "string", "Many?"), version="2")  # fmt: skip
    a, b = (option["valueCoding"] for option in options("a", "b"))
    response = draft(
        answered("gone", {"valueString": "x"}),
        answered("type", {"valueString": "x"}),
        answered("pick", {"valueCoding": a}, {"valueCoding": b}),
        answered("many", {"valueString": "1"}, {"valueString": "2"}),
    )
    made = carried(old, new, response)
    assert list(made.dropped.values()) == ["Gone?", "Typed?", "Picked?", "Many?"]
    kept = {i["linkId"]: i["answer"] for i in made.response["item"]}
    assert kept == {"pick": [{"valueCoding": b}], "many": [{"valueString": "1"}]}


def test_instances_of_groups_and_nested_answers_stay_where_they_are() -> None:
    group = item("g", "group", repeats=True, item=[item("q", "string", item=[item("n", "string")])])
    nested = {"valueString": "x", "item": [answered("n", {"valueString": "y"})]}
    response = draft(*({"linkId": "g", "item": [answered("q", nested)]} for _ in range(2)))
    made = carried(form(group), form(group, item("new", "string"), version="2"), response)
    assert made.dropped == {}
    assert len(made.response["item"]) == 2
    assert made.response["item"][1]["item"][0]["answer"][0]["item"][0]["linkId"] == "n"


KINDS = ("string", "integer", "boolean", "date")


@settings(max_examples=60, deadline=None)
@given(st.permutations("abcd"), st.permutations(KINDS), st.integers(0, 4))
def test_whatever_the_versions_the_result_is_valid_on_the_new_one(
    order: list[str], kinds: list[str], split: int
) -> None:
    old = form(*(item(name, kind) for name, kind in zip("abcd", KINDS, strict=True)))
    new_items = [item(name, kind) for name, kind in zip(order, kinds, strict=True)]
    group = [item("g", "group", item=new_items[split:])] if split < len(new_items) else []
    new = form(*new_items[:split], *group, version="2")
    response = draft(
        answered("a", {"valueString": "x"}),
        answered("b", {"valueInteger": 1}),
        answered("c", {"valueBoolean": True}),
        answered("d", {"valueDate": "2020-01-01"}),
    )
    made = carried(old, new, response)
    outcome = validate_response(new, made.response)
    assert not [i for i in outcome["issue"] if i["severity"] in ("error", "fatal")]
