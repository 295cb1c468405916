"""Enablement: every operator, several answers, chains, circles and repeating groups."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_gateway.questionnaire import enabled_items
from tests.questionnaire.making import (
    CORE,
    SDC,
    ask,
    code,
    form,
    found,
    hold,
    path,
    reply,
    say,
    text,
    when,
)

NO: list[Any] = []


@pytest.mark.parametrize(
    ("kind", "operator", "expected", "answers", "enabled"),
    [
        ("string", "=", text("x"), NO, False),
        ("string", "=", text("x"), [text("x")], True),
        ("string", "=", text("x"), [text("X")], False),
        ("string", "=", text("x"), [text("y"), text("x")], True),
        ("string", "!=", text("x"), NO, False),
        ("string", "!=", text("x"), [text("y")], True),
        ("string", "!=", text("x"), [text("y"), text("x")], False),
        ("boolean", "exists", {"valueBoolean": True}, NO, False),
        ("boolean", "exists", {"valueBoolean": False}, NO, True),
        ("boolean", "exists", {"valueBoolean": True}, [{"valueBoolean": False}], True),
        ("boolean", "=", {"valueBoolean": False}, NO, False),
        ("integer", ">", {"valueInteger": 5}, [{"valueInteger": 5}], False),
        ("integer", ">=", {"valueInteger": 5}, [{"valueInteger": 5}], True),
        ("integer", "<", {"valueInteger": 5}, [{"valueInteger": 9}, {"valueInteger": 1}], True),
        ("integer", "<=", {"valueInteger": 5}, NO, False),
        (
            "decimal",
            "=",
            {"valueDecimal": Decimal("1.50")},
            [{"valueDecimal": Decimal("1.5")}],
            True,
        ),
        ("decimal", ">", {"valueInteger": 1}, [{"valueDecimal": Decimal("1.1")}], True),
        ("date", ">", {"valueDate": "2026-01-01"}, [{"valueDate": "2026-01-02"}], True),
        ("date", ">", {"valueDate": "1970-10-15"}, [{"valueDate": "1970"}], True),
        ("date", ">", {"valueDate": "1970-10-15"}, [{"valueDate": "1969"}], False),
        ("time", "<", {"valueTime": "12:00:00"}, [{"valueTime": "11:59:59"}], True),
        ("choice", "=", code("a"), [code("a")], True),
        ("choice", "=", code("a"), [code("a", "https://other")], False),
        ("choice", "!=", code("a"), [code("a", "https://other")], True),
        ("choice", "=", {"valueCoding": {"code": "a"}}, [code("a")], True),
        (
            "quantity",
            ">",
            {"valueQuantity": {"value": 1, "system": "http://unitsofmeasure.org", "code": "kg"}},
            [
                {
                    "valueQuantity": {
                        "value": 1001,
                        "system": "http://unitsofmeasure.org",
                        "code": "g",
                    }
                }
            ],
            True,
        ),
    ],
)
def test_each_operator(
    kind: str, operator: str, expected: dict[str, Any], answers: list[Any], enabled: bool
) -> None:
    condition = {f"answer{key.removeprefix('value')}": value for key, value in expected.items()}
    asked = form(
        ask("a", kind, repeats=True), ask("b", enableWhen=when("a", operator, **condition))
    )
    given = reply(say("a", *answers)) if answers else reply()
    assert ("b" in enabled_items(asked, given)) is enabled


@pytest.mark.parametrize(("behaviour", "enabled"), [("all", False), ("any", True), (None, False)])
def test_several_conditions(behaviour: str | None, enabled: bool) -> None:
    conditions = [
        *when("a", "=", answerBoolean=True),
        *when("a", "=", answerBoolean=False),
    ]
    more = {"enableBehavior": behaviour} if behaviour else {}
    asked = form(ask("a", "boolean"), ask("b", enableWhen=conditions, **more))
    assert ("b" in enabled_items(asked, reply(say("a", {"valueBoolean": True})))) is enabled


def test_a_disabled_source_has_no_answer_and_takes_the_chain_with_it() -> None:
    asked = form(
        ask("a", "boolean"),
        ask("b", "boolean", enableWhen=when("a", "=", answerBoolean=True)),
        ask("c", "group", ask("d"), enableWhen=when("b", "=", answerBoolean=True)),
        ask("e", enableWhen=when("b", "exists", answerBoolean=False)),
    )
    no, yes = {"valueBoolean": False}, {"valueBoolean": True}
    assert enabled_items(asked, reply(say("a", no), say("b", yes))) == ["a", "e"]
    assert enabled_items(asked, reply(say("a", yes), say("b", yes))) == ["a", "b", "c", "d"]


def test_in_repeating_groups_each_instance_asks_its_own() -> None:
    asked = form(
        ask(
            "g",
            "group",
            ask("a", "boolean"),
            ask("b", required=True, enableWhen=when("a", "=", answerBoolean=True)),
            repeats=True,
        )
    )
    yes = hold("g", say("a", {"valueBoolean": True}))
    no = hold("g", say("a", {"valueBoolean": False}))
    assert found(asked, reply(no, yes)) == ["error required at QuestionnaireResponse.item[1]"]


def test_circles_are_not_enabled_and_long_chains_come_to_an_end() -> None:
    circle = form(
        ask("a", enableWhen=when("b", "exists", answerBoolean=True)),
        ask("b", enableWhen=when("a", "exists", answerBoolean=True)),
    )
    assert enabled_items(circle, reply(say("a", text("x")), say("b", text("x")))) == []
    size = 3_000
    chain = form(
        *[
            ask(f"q{n}", enableWhen=when(f"q{n + 1}", "exists", answerBoolean=True))
            for n in range(size)
        ],
        ask(f"q{size}"),
    )
    given = reply(*[say(f"q{n}", text("x")) for n in range(size + 1)])
    assert len(enabled_items(chain, given)) == size + 1


def test_an_expression_sees_the_response_without_disabled_answers_and_its_variables() -> None:
    variable = path(f"{CORE}/variable", "%resource.item.where(linkId='n').answer.value", "n")
    rule = path("sdc-questionnaire-enableWhenExpression", "%n > 3")
    asked = form(
        ask("a", "boolean"),
        ask("n", "integer", enableWhen=when("a", "=", answerBoolean=True)),
        ask("b", extension=rule),
        extension=variable,
    )
    five = say("n", {"valueInteger": 5})
    assert enabled_items(asked, reply(five)) == ["a"]
    assert enabled_items(asked, reply(say("a", {"valueBoolean": True}), five)) == ["a", "n", "b"]


def test_a_variable_of_a_group_is_of_its_own_instance() -> None:
    variable = path(f"{CORE}/variable", "item.where(linkId='n').answer.value", "n")
    rule = path("sdc-questionnaire-enableWhenExpression", "%n > 3")
    group = ask(
        "g",
        "group",
        ask("n", "integer"),
        ask("b", extension=rule, required=True),
        repeats=True,
        extension=variable,
    )
    given = reply(*[hold("g", say("n", {"valueInteger": n})) for n in (1, 5)])
    assert found(form(group), given) == ["error required at QuestionnaireResponse.item[1]"]


def test_a_broken_expression_hides_nothing() -> None:
    rule = path(f"{SDC}/sdc-questionnaire-enableWhenExpression", "not ( FHIRPath")
    assert enabled_items(form(ask("a", extension=rule)), reply()) == ["a"]


def test_a_condition_of_stu3_is_understood() -> None:
    asked = form(
        ask("a", "boolean"),
        ask("b", enableWhen=[{"question": "a", "answerBoolean": True}]),
        ask("c", enableWhen=[{"question": "a", "hasAnswer": False}]),
    )
    assert enabled_items(asked, reply()) == ["a", "c"]
    assert enabled_items(asked, reply(say("a", {"valueBoolean": True}))) == ["a", "b"]
