"""The author's own rules, on items and on the whole response."""

from __future__ import annotations

import pytest

from fhir_gateway.fhir.types import Element
from tests.questionnaire.making import CORE, ask, codes, form, found, hold, reply, say, text


def constraint(
    expression: str, severity: str = "error", url: str = "questionnaire-constraint"
) -> Element:
    return {
        "url": f"{CORE}/{url}",
        "extension": [
            {"url": "key", "valueId": "rule-1"},
            {"url": "severity", "valueCode": severity},
            {"url": "human", "valueString": "Give one of the two"},
            {"url": "expression", "valueString": expression},
        ],
    }


@pytest.mark.parametrize("severity", ["error", "warning"])
def test_a_broken_rule_has_its_severity(severity: str) -> None:
    asked = form(ask("q", extension=[constraint("answer.value != 'x'", severity)]))
    assert found(asked, reply(say("q", text("x")))) == [
        f"{severity} constraint at QuestionnaireResponse.item[0]"
    ]
    assert found(asked, reply(say("q", text("y")))) == []


def test_a_target_constraint_has_an_expression() -> None:
    rule = constraint("", url="targetConstraint")
    rule["extension"][3] = {
        "url": "expression",
        "valueExpression": {"language": "text/fhirpath", "expression": "answer.value.length() < 3"},
    }
    asked = form(ask("q", extension=[rule]))
    assert codes(asked, reply(say("q", text("xxx")))) == ["constraint"]


def test_a_rule_on_the_root_looks_at_the_whole_response() -> None:
    rule = constraint("item.where(linkId='a' or linkId='b').answer.exists()")
    asked = form(ask("a"), ask("b"), extension=[rule])
    assert found(asked, reply()) == ["error constraint at QuestionnaireResponse"]
    assert codes(asked, reply(say("b", text("x")))) == []


def test_each_instance_of_a_repeating_group_is_judged_by_itself() -> None:
    rule = constraint(
        "item.where(linkId='from').answer.value <= item.where(linkId='to').answer.value"
    )
    asked = form(
        ask(
            "g",
            "group",
            ask("from", "integer"),
            ask("to", "integer"),
            repeats=True,
            extension=[rule],
        )
    )
    good = hold("g", say("from", {"valueInteger": 1}), say("to", {"valueInteger": 2}))
    bad = hold("g", say("from", {"valueInteger": 3}), say("to", {"valueInteger": 2}))
    assert found(asked, reply(good, bad)) == ["error constraint at QuestionnaireResponse.item[1]"]


def test_a_rule_that_cannot_be_evaluated_blocks_nobody() -> None:
    asked = form(ask("q", extension=[constraint("this is (not FHIRPath")]))
    assert found(asked, reply(say("q", text("x")))) == [
        "warning constraint at QuestionnaireResponse.item[0]"
    ]
