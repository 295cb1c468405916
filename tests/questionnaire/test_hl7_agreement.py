"""Random forms and answers, judged by this validator and by the HL7 validator: the same errors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.questionnaire import validate_response
from fhir_gateway.questionnaire.completion import completed
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.issues import HL7_SYSTEM
from tests.peers.hl7_validator.client import Hl7Validator
from tests.questionnaire.making import coding
from tests.questionnaire.test_properties import NOW, pairs

#: HAPI keeps no message id where the message depends on a number; here that is this one alone.
MISSING = "Questionnaire_QR_Item_Missing"


def _spoilt(items: list[Element]) -> list[Element]:
    """The response with texts changed, answers doubled and an item that nobody knows; the values
    stay, because the HL7 validator ends when a condition meets a value of the wrong type."""
    spoilt = []
    for number, item in enumerate(items):
        if "item" in item:
            spoilt.append({**item, "item": _spoilt(item["item"])})
        elif number % 2:
            spoilt.append({**item, "answer": item["answer"] * 2})
        else:
            spoilt.append({**item, "text": "Something else"})
    return spoilt


def _ours(asked: Resource, given: Resource) -> set[tuple[str, str]]:
    found = set()
    for issue in validate_response(asked, given)["issue"]:
        # A hidden item that is required blocks nobody here; the HL7 validator minds.
        counts = issue["severity"] == "error" or (
            issue["severity"] == "warning" and coding(issue) in ("required", "group-required")
        )
        if counts:
            found.add((coding(issue, HL7_SYSTEM), issue["expression"][0]))
    return found


@pytest.mark.java
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(pairs())
@pytest.mark.parametrize("spoil", [False, True])
def test_random_responses_get_the_same_errors(
    hl7_validator: Hl7Validator, spoil: bool, pair: tuple[Resource, Resource]
) -> None:
    asked: dict[str, Any] = {**pair[0], "id": "t", "name": "T"}
    # Without disabled answers, which the HL7 validator reads and R4 does not.
    sent = completed(Definition(asked), pair[1], now=NOW)
    if spoil and "item" in sent:
        sent = {**sent, "item": _spoilt(sent["item"])}
    hl7_validator.learn(asked)
    theirs = {
        (issue.message_id or MISSING, (issue.location or "").split(".value")[0])
        for issue in hl7_validator.validate(sent)
        if issue.severity in ("error", "fatal")
    }
    assert {(i.removesuffix("_one"), p) for i, p in theirs} == _ours(asked, sent)
