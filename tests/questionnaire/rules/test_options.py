"""Choices: HL7 rules 20 to 25 and 32, and options that expressions give."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.fhir.types import Element, Resource
from tests.questionnaire.making import (
    CORE,
    SDC,
    ask,
    code,
    codes,
    form,
    found,
    hl7_ids,
    options,
    path,
    reply,
    say,
    text,
)

SYSTEM = "https://example.org/codes"
VALUE_SET: Resource = {
    "resourceType": "ValueSet",
    "url": "https://example.org/ValueSet/colours",
    "compose": {"include": [{"system": SYSTEM, "concept": [{"code": "a"}, {"code": "b"}]}]},
}


@pytest.mark.parametrize(
    ("kind", "option", "other", "hl7"),
    [
        ("choice", code("a"), code("c"), "Questionnaire_QR_Item_NoCoding"),
        ("choice", code("a"), code("a", "https://other"), "Questionnaire_QR_Item_NoCoding"),
        ("choice", text("a"), text("b"), "Questionnaire_QR_Item_NoString"),
        ("choice", {"valueInteger": 1}, {"valueInteger": 2}, "Questionnaire_QR_Item_NoInteger"),
        ("choice", {"valueDate": "2026"}, {"valueDate": "2027"}, "Questionnaire_QR_Item_NoDate"),
        ("choice", code("a"), text("a"), "Questionnaire_QR_Item_NoOptionsString"),
        ("string", text("a"), text("b"), "Questionnaire_QR_Item_NoString"),
        ("integer", {"valueInteger": 1}, {"valueInteger": 2}, "Questionnaire_QR_Item_NoInteger"),
    ],
)
def test_a_choice_is_one_of_its_options(
    kind: str, option: Element, other: Element, hl7: str
) -> None:
    asked = form(ask("q", kind, answerOption=[option]))
    assert codes(asked, reply(say("q", option))) == []
    assert codes(asked, reply(say("q", other))) == ["not-an-option"]
    assert hl7_ids(asked, reply(say("q", other))) == [hl7]


def test_displays_are_not_compared() -> None:
    asked = form(ask("q", "choice", answerOption=options("a")))
    coding = {**code("a")["valueCoding"], "display": "Anything"}
    assert codes(asked, reply(say("q", {"valueCoding": coding}))) == []


def test_a_choice_from_a_value_set_needs_the_value_set() -> None:
    asked = form(ask("q", "choice", answerValueSet=VALUE_SET["url"]))
    assert codes(asked, reply(say("q", code("a"))), resources=[VALUE_SET]) == []
    assert hl7_ids(asked, reply(say("q", code("c"))), resources=[VALUE_SET]) == [
        "Questionnaire_QR_Item_BadOption"
    ]
    unknown = found(asked, reply(say("q", code("c"))))
    assert [entry.split()[:2] for entry in unknown] == [["warning", "option-unknown"]]


def test_a_contained_value_set_is_at_hand() -> None:
    asked = form(ask("q", "choice", answerValueSet="#vs"), contained=[{**VALUE_SET, "id": "vs"}])
    assert codes(asked, reply(say("q", code("a")))) == []
    assert codes(asked, reply(say("q", code("c")))) == ["not-an-option"]


@pytest.mark.parametrize(
    ("given", "severity"),
    [
        (text("something else"), None),
        (text("a"), "warning"),
        (code("a"), None),
        (code("c"), "error"),
        ({"valueCoding": {"display": "something else"}}, "warning"),
        ({"valueInteger": 1}, "warning"),
    ],
)
def test_an_open_choice_takes_free_text(given: Element, severity: str | None) -> None:
    said = found(form(ask("q", "open-choice", answerOption=options("a"))), reply(say("q", given)))
    assert [entry.split()[0] for entry in said] == ([severity] if severity else [])


def test_an_exclusive_option_stands_alone() -> None:
    alone = {"extension": [{"url": f"{CORE}/questionnaire-optionExclusive", "valueBoolean": True}]}
    listed = [*options("a", "b"), *options("none", **alone)]
    asked = form(ask("q", "choice", repeats=True, answerOption=listed))
    assert codes(asked, reply(say("q", code("none")))) == []
    assert codes(asked, reply(say("q", code("a"), code("b")))) == []
    assert codes(asked, reply(say("q", code("a"), code("none")))) == ["exclusive-option"]


def test_options_can_come_from_answers() -> None:
    expression = "%resource.item.where(linkId='names').answer.value"
    more: dict[str, Any] = {"extension": path("sdc-questionnaire-answerExpression", expression)}
    asked = form(ask("names", repeats=True), ask("q", "choice", **more))
    names = say("names", text("Ann"), text("Bob"))
    assert codes(asked, reply(names, say("q", text("Bob")))) == []
    assert codes(asked, reply(names, say("q", text("Eve")))) == ["not-an-option"]


def test_an_option_can_be_held_back_by_an_expression() -> None:
    toggle = {
        "url": f"{SDC}/sdc-questionnaire-answerOptionsToggleExpression",
        "extension": [
            {"url": "option", **code("b")},
            {
                "url": "expression",
                "valueExpression": {
                    "language": "text/fhirpath",
                    "expression": "%resource.item.where(linkId='more').answer.value",
                },
            },
        ],
    }
    asked = form(
        ask("more", "boolean"),
        ask("q", "choice", answerOption=options("a", "b"), extension=[toggle]),
    )
    assert codes(asked, reply(say("q", code("a")))) == []
    assert codes(asked, reply(say("q", code("b")))) == ["not-an-option"]
    assert codes(asked, reply(say("more", {"valueBoolean": True}), say("q", code("b")))) == []
