"""FHIRPath: bounded, typed, with the caller's clock."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from fhir_gateway.fhir import path
from fhir_gateway.fhir.path import PathRefused, evaluate, is_true, plain_all

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "name": [{"family": "Sharma", "given": ["Priya", "R"]}],
    "birthDate": "1984-03-12",
    "multipleBirthBoolean": False,
}


def values(expression: str, context: Any = PATIENT, **more: Any) -> list[Any]:
    return plain_all(evaluate(expression, context, **more))


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("Patient.name.given", ["Priya", "R"]),
        ("name.where(family = 'Sharma').given.first()", ["Priya"]),
        ("birthDate", ["1984-03-12"]),
        ("birthDate < today()", [True]),
        ("name.given.join(' ')", ["Priya R"]),
        ("telecom.value", []),
        ("multipleBirth", [False]),
        ("1 + 1", [2]),
        ("$this.birthDate", ["1984-03-12"]),
        ("%context.birthDate", ["1984-03-12"]),
    ],
)
def test_expressions_find_what_they_name(expression: str, found: list[Any]) -> None:
    assert values(expression) == found


def test_variables_are_json_or_nodes_of_another_result() -> None:
    assert values("%given.a", variables={"given": {"a": 5}}) == [5]
    names = evaluate("name", PATIENT)
    assert values("%names.given.first()", {}, variables={"names": names}) == ["Priya"]


def test_an_expression_goes_on_from_a_typed_result() -> None:
    response = {
        "resourceType": "QuestionnaireResponse",
        "item": [{"linkId": "a", "answer": [{"valueCoding": {"code": "x"}}]}],
    }
    answer = evaluate("item.answer", response)
    assert values("value.ofType(Coding).code", answer[0]) == ["x"]
    item = path.node_of(response["item"][0], "QuestionnaireResponse.item")
    assert values("answer.value.code", item) == ["x"]


def test_the_clock_is_the_callers() -> None:
    now = datetime(2026, 7, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert values("today()", now=now) == ["2026-07-01"]
    assert values("now()", now=now) == ["2026-07-01T00:30:00+01:00"]
    assert values("timeOfDay()", now=now) == ["00:30:00"]
    assert values("birthDate = today()", now=datetime(1984, 3, 12, tzinfo=UTC)) == [True]


def test_threads_do_not_share_a_clock() -> None:
    found: dict[int, set[str]] = {}

    def look(day: int) -> None:
        now = datetime(2026, 1, day, tzinfo=UTC)
        found[day] = {values("today()", now=now)[0] for _ in range(50)}

    threads = [threading.Thread(target=look, args=(day,)) for day in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {day: {f"2026-01-0{day}"} for day in range(1, 5)}


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("'unclosed", "cannot be parsed"),
        ("a" * 8_001, "longer than 8000"),
        ("(" * 61 + "1" + ")" * 61, "nests deeper than 60"),
        ("noSuchFunction()", "failed with"),
        ("trace('x')", "trace is not allowed"),
        ("1 + 'a'", "failed with"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(expression: str, why: str) -> None:
    with pytest.raises(PathRefused, match=why) as raised:
        evaluate(expression, PATIENT)
    assert raised.value.code == "fhirpath-refused"
    assert len(str(raised.value)) < 700


@pytest.mark.hazard("H08")
def test_a_refusal_names_the_expression_and_never_the_data() -> None:
    with pytest.raises(PathRefused) as raised:
        evaluate("name.family + 1", PATIENT)
    assert "name.family + 1" in str(raised.value)
    assert "Sharma" not in str(raised.value)


def test_results_are_bounded() -> None:
    many = {"resourceType": "Basic", "a": [{"b": list(range(200))} for _ in range(100)]}
    with pytest.raises(PathRefused, match="more than 10000 results"):
        evaluate("a.b", many)


def test_a_primitive_that_only_has_extensions_is_no_value() -> None:
    patient = {"resourceType": "Patient", "_birthDate": {"extension": [{"url": "urn:x"}]}}
    assert values("birthDate", patient) == []
    assert values("x", {"x": {"extension": [{"url": "urn:x"}]}}) == []


@pytest.mark.parametrize(
    ("expression", "holds"),
    [("true", True), ("false", False), ("{}", False), ("true | false", False), ("1", False)],
)
def test_a_condition_holds_when_it_is_true_once(expression: str, holds: bool) -> None:
    assert is_true(evaluate(expression, PATIENT)) is holds


def test_nothing_is_nothing() -> None:
    assert values("a.b", None) == []


@pytest.mark.hazard("H11")
def test_an_answer_that_looks_like_an_expression_stays_text() -> None:
    hostile = {"resourceType": "Basic", "a": "%context.name | {{7*7}} + 1"}
    assert values("a", hostile) == ["%context.name | {{7*7}} + 1"]
