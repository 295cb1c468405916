"""What is filled in before anybody answers, and while they do: $populate and calculations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.questionnaire import populate, validate_response
from fhir_gateway.questionnaire.calculation import calculated
from fhir_gateway.questionnaire.definition import Definition
from tests.questionnaire.making import CORE, SDC, ask, code, form, hold, options, path, reply, say

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
PATIENT: Resource = {
    "resourceType": "Patient",
    "id": "p1",
    "gender": "female",
    "birthDate": "1990-05-04",
    "name": [{"family": "Test", "given": ["Anna", "Maria"]}],
    "telecom": [
        {"system": "phone", "value": "07700900001"},
        {"system": "email", "value": "a@e.org"},
    ],
}
LAUNCH: Element = {
    "url": f"{SDC}/sdc-questionnaire-launchContext",
    "extension": [
        {"url": "name", "valueCoding": {"code": "patient"}},
        {"url": "type", "valueCode": "Patient"},
    ],
}


def initial(expression: str) -> list[Element]:
    return path("sdc-questionnaire-initialExpression", expression)


def answers(response: Resource) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    pending = list(response.get("item", []))
    while pending:
        item = pending.pop(0)
        for answer in item.get("answer", []):
            value = next(v for k, v in answer.items() if k.startswith("value"))
            found.setdefault(item["linkId"], []).append(value)
        pending = item.get("item", []) + pending
    return found


def test_expressions_take_what_the_launch_context_knows() -> None:
    asked = form(
        ask(
            "name", extension=initial("%patient.name.first().select(given.first() & ' ' & family)")
        ),
        ask("born", "date", extension=initial("%patient.birthDate")),
        ask(
            "sex",
            "choice",
            answerOption=options("female", "male"),
            extension=initial("%patient.gender"),
        ),
        ask("phones", repeats=True, extension=initial("%patient.telecom.value")),
        ask("today", "date", extension=initial("today()")),
        ask("nobody", extension=initial("%patient.contact.name.family")),
        extension=[LAUNCH],
    )
    response = populate(asked, {"patient": PATIENT}, now=NOW)
    assert answers(response) == {
        "name": ["Anna Test"],
        "born": ["1990-05-04"],
        "sex": [code("female")["valueCoding"]],
        "phones": ["07700900001", "a@e.org"],
        "today": ["2026-03-01"],
    }
    assert response["subject"] == {"reference": "Patient/p1"}
    severities = [i["severity"] for i in validate_response(asked, response)["issue"]]
    assert severities == ["information"]


def test_the_result_of_a_query_can_be_handed_in() -> None:
    query = {
        "url": f"{CORE}/variable",
        "valueExpression": {
            "name": "conditions",
            "language": "application/x-fhir-query",
            "expression": "Condition?patient={{%patient.id}}",
        },
    }
    asked = form(
        ask("n", "integer", extension=initial("%conditions.entry.count()")), extension=[query]
    )
    bundle = {"resourceType": "Bundle", "entry": [{}, {}]}
    assert answers(populate(asked, {"conditions": bundle})) == {"n": [2]}
    assert answers(populate(asked)) == {"n": [0]}


def test_without_a_launch_context_nothing_is_known_and_nothing_fails() -> None:
    asked = form(ask("name", extension=initial("%patient.name.family")), extension=[LAUNCH])
    assert answers(populate(asked)) == {}


def test_initial_values_and_selected_options_are_filled_in() -> None:
    chosen = [*options("a"), *options("b", initialSelected=True)]
    asked = form(
        ask("n", "integer", initial=[{"valueInteger": 3}]),
        ask("c", "choice", answerOption=chosen),
        ask("g", "group", ask("t", initial=[{"valueString": "x"}])),
    )
    found = answers(populate(asked))
    assert found == {"n": [3], "c": [code("b")["valueCoding"]], "t": ["x"]}


def test_a_population_context_makes_an_instance_for_each_result() -> None:
    context = path("sdc-questionnaire-itemPopulationContext", "%patient.telecom", "point")
    asked = form(
        ask(
            "g",
            "group",
            ask("system", extension=initial("%point.system")),
            ask("value", extension=initial("%point.value")),
            repeats=True,
            extension=context,
        ),
        extension=[LAUNCH],
    )
    response = populate(asked, {"patient": PATIENT})
    assert [len(item["item"]) for item in response["item"]] == [2, 2]
    assert answers(response)["system"] == ["phone", "email"]


BMI = form(
    ask("height", "decimal"),
    ask("weight", "decimal"),
    ask(
        "bmi",
        "decimal",
        readOnly=True,
        extension=path(
            "sdc-questionnaire-calculatedExpression", "(%weight / (%height * %height)).round(1)"
        ),
    ),
    ask(
        "advice",
        readOnly=True,
        extension=path(
            "sdc-questionnaire-calculatedExpression",
            "iif(%resource.item.where(linkId='bmi').answer.value > 25, 'high', 'fine')",
        ),
    ),
    extension=[
        *path(f"{CORE}/variable", "%resource.item.where(linkId='height').answer.value", "height"),
        *path(f"{CORE}/variable", "%resource.item.where(linkId='weight').answer.value", "weight"),
    ],
)


def test_calculated_answers_feed_others() -> None:
    given = reply(say("height", {"valueDecimal": 2}), say("weight", {"valueDecimal": 120}))
    found = answers(calculated(Definition(BMI), given))
    assert [float(value) for value in found["bmi"]] == [30.0]
    assert found["advice"] == ["high"]
    assert answers(calculated(Definition(BMI), reply())).get("bmi") is None


def test_a_calculated_answer_that_people_may_change_stays_as_they_left_it() -> None:
    rule = path("sdc-questionnaire-calculatedExpression", "1 + 1")
    definition = Definition(form(ask("n", "integer", extension=rule)))
    assert answers(calculated(definition, reply())) == {"n": [2]}
    changed = reply(say("n", {"valueInteger": 5}))
    assert answers(calculated(definition, changed)) == {"n": [5]}


def test_a_circle_of_calculations_comes_to_an_end() -> None:
    def plus(other: str) -> list[Element]:
        expression = f"iif(%resource.item.where(linkId='{other}').answer.value.exists(), 1, 2)"
        return path("sdc-questionnaire-calculatedExpression", expression)

    asked = form(
        ask("a", "integer", readOnly=True, extension=plus("b")),
        ask("b", "integer", readOnly=True, extension=plus("a")),
    )
    assert calculated(Definition(asked), reply(hold("none")))
