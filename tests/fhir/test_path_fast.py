"""The fast steps answer what the engine answers."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from fhirpathpy.engine import do_eval
from fhirpathpy.engine.nodes import ResourceNode

from fhir_gateway.fhir import path_engine
from fhir_gateway.fhir.path_fast import faster
from fhir_gateway.fhir.path_parser import parse

ANSWERS: dict[str, Any] = {
    "resourceType": "QuestionnaireResponse",
    "id": "r",
    "subject": {"reference": "Patient/1"},
    "item": [
        {
            "linkId": "a",
            "answer": [
                {"valueString": "x", "item": [{"linkId": "a1", "answer": [{"valueInteger": 3}]}]},
                {"valueCoding": {"system": "s", "code": "c", "display": "D"}},
            ],
        },
        {"linkId": "b", "answer": [{"valueDate": "2026-03-04"}, {"valueBoolean": False}]},
        {"linkId": "c", "item": [{"linkId": "a", "answer": [{"valueDecimal": 1.5}]}]},
        {"linkId": "d", "_linkId": {"extension": [{"url": "u", "valueString": "e"}]}},
        {"linkId": "e", "answer": [{"_valueString": {"extension": [{"url": "u"}]}}]},
    ],
}
EXPRESSIONS = """
item
item.linkId
item.where(linkId='a').answer.value
item.where(linkId = 'a' or linkId = 'b').answer.value
item.where((linkId = 'a')).answer.value.ofType(Coding).code
item.where('a' = linkId)
item.where(linkId='d')
item.where(linkId='e').answer.value
item.where(linkId='a').answer.value.ofType(string)
item.answer.value.ofType(date)
item.answer.value as string
item.repeat(item).where(linkId='a').answer.value
%resource.repeat(item).where(linkId='a1').answer.value
%resource.subject.reference
%`resource`.id
%resource.repeat(item).linkId
repeat(item).answer.value
item.answer.repeat(item).linkId
repeat(item).repeat(item).linkId
repeat(answer)
repeat(nothing)
%twins.repeat(item).linkId
%twins.repeat(item).answer.value
%twins.item.repeat(item).answer.value.count()
%names.repeat(item)
repeat(item).where($this.linkId = 'a').count()
repeat(item | answer.item).linkId
%names.first()
%nothing
%unknown
QuestionnaireResponse.item.first().linkId
item[0].answer[1].value.display
item.answer.value.count()
iif(item.exists(), 'yes', 'no')
'a' & 'b' & item.first().linkId
-1 + 2
item.answer.value.ofType(decimal) * 2
item.item.answer.value * 2
item.select($this.linkId & '!')
item.descendants().where($this is string)
'it\\'s'
(item | item).linkId
item.linkId.join(', ')
item.extension('u')
item.answer.value.is(Coding)
`item`.linkId
name
""".strip().splitlines()


#: Elements that are equal, or nearly: repeat() gives what is equal once.
TWINS: dict[str, Any] = {
    "resourceType": "QuestionnaireResponse",
    "item": [
        {"linkId": "g", "item": [{"linkId": "n", "answer": [{"valueInteger": 1}]}]},
        {"linkId": "g", "item": [{"linkId": "n", "answer": [{"valueInteger": 1}]}]},
        {"linkId": "h", "item": [{"linkId": "n", "answer": [{"valueDecimal": Decimal("1.0")}]}]},
        {"linkId": "i", "item": [{"linkId": "n", "answer": [{"valueDecimal": Decimal("1.00")}]}]},
        {"linkId": "j", "item": [{"linkId": "n", "answer": [{"valueInteger": True}]}]},
        {"linkId": "k", "item": [{"linkId": "n"}, {"linkId": "n"}, {"linkId": 1}, {}]},
    ],
}


def run(tree: Any, memo: dict[Any, Any] | None = None) -> Any:
    variables: dict[str, Any] = {
        "context": ANSWERS,
        "resource": ANSWERS,
        "names": ["n", "m"],
        "nothing": [],
    }
    variables["twins"] = TWINS
    state = {
        "dataRoot": [ANSWERS],
        "$this": [ANSWERS],
        "vars": variables,
        "model": path_engine._R4,
        "userInvocationTable": {},
        "memo": memo,
    }
    try:
        found = do_eval(state, [ANSWERS], tree)
    except Exception as error:
        return type(error).__name__
    found = found if isinstance(found, list) else [found]
    kinds = [node.path if isinstance(node, ResourceNode) else None for node in found]
    return kinds, json.dumps([path_engine.plain(node) for node in found], default=str)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_rewritten_expression_answers_the_same(expression: str) -> None:
    tree = parse(expression)["children"][0]
    assert run(faster(tree)) == run(tree)


def test_expressions_that_share_their_walks_answer_the_same() -> None:
    memo: dict[Any, Any] = {}
    for expression in [*EXPRESSIONS, *reversed(EXPRESSIONS)]:
        tree = parse(expression)["children"][0]
        assert run(faster(tree), memo) == run(tree), expression
    assert memo
