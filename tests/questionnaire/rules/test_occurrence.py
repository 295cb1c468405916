"""How often: HL7 rules 9 to 14, with limits that are allowed themselves, and SDC 4.0's leniency."""

from __future__ import annotations

from typing import Any

import pytest

from tests.questionnaire.making import (
    ask,
    codes,
    form,
    found,
    having,
    hold,
    path,
    reply,
    say,
    text,
    when,
)

YES = {"valueBoolean": True}


def test_a_required_answer_is_missed_once_the_response_is_completed() -> None:
    asked = form(ask("a", required=True))
    assert codes(asked, reply()) == ["required"]
    assert codes(asked, reply({"linkId": "a"})) == ["required"]
    assert codes(asked, reply(say("a", text("x")))) == []


@pytest.mark.parametrize("status", ["in-progress", "stopped", "entered-in-error"])
def test_before_that_it_is_a_warning(status: str) -> None:
    asked = form(ask("a", required=True))
    assert found(asked, reply(status=status)) == ["warning required at QuestionnaireResponse"]


def test_a_required_question_that_is_disabled_or_hidden_blocks_nobody() -> None:
    hidden = having("questionnaire-hidden", "Boolean", True)
    asked = form(
        ask("a", "boolean"),
        ask("b", required=True, enableWhen=when("a", "=", answerBoolean=True)),
        ask(
            "g",
            "group",
            ask("c", required=True),
            enableWhen=when("a", "exists", answerBoolean=True),
        ),
        ask("h", required=True, extension=hidden),
    )
    assert codes(asked, reply()) == []
    assert codes(asked, reply(say("a", YES), hold("g"))) == ["required", "required"]


def test_a_required_group_needs_something_in_it() -> None:
    asked = form(ask("g", "group", ask("a"), required=True))
    assert codes(asked, reply()) == ["group-required"]
    assert codes(asked, reply(hold("g"))) == ["group-required"]
    assert codes(asked, reply(hold("g", say("a", text("x"))))) == []


def test_a_question_below_one_without_an_answer_is_not_missed() -> None:
    asked = form(ask("a", "boolean", ask("b", required=True)))
    assert codes(asked, reply()) == []
    assert codes(asked, reply(say("a", YES))) == ["required"]


def test_required_can_depend_on_an_expression() -> None:
    rule = {
        "extension": path(
            "http://hl7.org/fhir/StructureDefinition/cqf-expression",
            "%resource.item.where(linkId='a').answer.value = true",
        )
    }
    asked = form(ask("a", "boolean"), ask("b", _required=rule))
    assert codes(asked, reply()) == []
    assert codes(asked, reply(say("a", YES))) == ["required"]
    assert codes(asked, reply(say("a", {"valueBoolean": False}))) == []


def test_what_does_not_repeat_is_there_once() -> None:
    asked = form(ask("a"), ask("g", "group", ask("b")))
    assert codes(asked, reply(say("a", text("x"), text("y")))) == ["too-many-answers"]
    twice = [hold("g", say("b", text("x")))] * 2
    assert codes(asked, reply(*twice)) == ["too-many-items"]


def test_answers_of_a_repeating_question_stand_in_one_item() -> None:
    asked = form(ask("a", repeats=True))
    assert codes(asked, reply(say("a", text("x"), text("y")))) == []
    assert codes(asked, reply(say("a", text("x")), say("a", text("y")))) == ["too-many-items"]


LIMITS = [
    *having("questionnaire-minOccurs", "Integer", 2),
    *having("questionnaire-maxOccurs", "Integer", 3),
]


@pytest.mark.parametrize(
    ("count", "expected"), [(0, []), (1, ["min-occurs"]), (2, []), (3, []), (4, ["max-occurs"])]
)
def test_occurrences_at_the_limit_are_allowed(count: int, expected: list[str]) -> None:
    asked = form(ask("a", repeats=True, extension=LIMITS))
    given = reply(say("a", *[text(str(n)) for n in range(count)])) if count else reply()
    assert codes(asked, given) == expected
    groups = form(ask("g", "group", ask("a"), repeats=True, extension=LIMITS))
    assert codes(groups, reply(*[hold("g", say("a", text("x")))] * count)) == expected


@pytest.mark.parametrize(
    ("status", "severity"),
    [("completed", "error"), ("amended", "error"), ("in-progress", "information")],
)
def test_an_answer_to_what_is_disabled(status: str, severity: str) -> None:
    asked = form(ask("a", "boolean"), ask("b", enableWhen=when("a", "=", answerBoolean=True)))
    given = reply(say("b", text("x")), status=status)
    assert found(asked, given) == [f"{severity} disabled at QuestionnaireResponse.item[0]"]
    assert codes(asked, reply({"linkId": "b"}, status=status)) == []


def test_nothing_else_is_said_about_what_is_disabled() -> None:
    rules: dict[str, Any] = {"maxLength": 1, "enableWhen": when("a", "=", answerBoolean=True)}
    asked = form(ask("a", "boolean"), ask("b", **rules))
    assert codes(asked, reply(say("b", text("long")))) == ["disabled"]
