"""A test that is run alone brings the earlier ones that it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fhir_gateway.conformance.prerequisites import with_needed
from fhir_gateway.conformance.script import Script


def script(*tests: list[dict[str, Any]], **more: Any) -> Script:
    listed = [{"name": str(i), "action": actions} for i, actions in enumerate(tests)]
    resource = {"resourceType": "TestScript", "test": listed, **more}
    return Script(resource, Path("x.json"), Path(), "suite")


def operation(**given: Any) -> dict[str, Any]:
    return {"operation": given}


def check(**given: Any) -> dict[str, Any]:
    return {"assert": given}


def test_a_test_that_needs_nothing_runs_alone() -> None:
    assert with_needed(script([operation()], [operation()]), [1]) == [1]


def test_what_an_assert_looks_at_is_made_before() -> None:
    found = script([operation(responseId="made")], [operation()], [check(sourceId="made")])
    assert with_needed(found, [2]) == [0, 2]
    assert with_needed(found, [1]) == [1]


def test_of_several_that_made_it_the_last_one_counts() -> None:
    made = [operation(responseId="made")]
    assert with_needed(script(made, made, [operation(targetId="made")]), [2]) == [1, 2]


def test_what_a_test_makes_itself_is_not_needed() -> None:
    both = [operation(responseId="made"), check(sourceId="made")]
    assert with_needed(script(both, both), [1]) == [1]


def test_variables_need_their_source_and_those_they_are_made_of() -> None:
    variables = [
        {"name": "id", "expression": "Patient.id", "sourceId": "made"},
        {"name": "path", "defaultValue": "/${id}"},
    ]
    found = script(
        [operation(responseId="made")], [operation(params="${path}")], variable=variables
    )
    assert with_needed(found, [1]) == [0, 1]


def test_fixtures_need_their_variables() -> None:
    found = script(
        [operation(responseId="made")],
        [operation(sourceId="task")],
        variable=[{"name": "id", "expression": "Patient.id", "sourceId": "made"}],
        fixture=[{"id": "task", "resource": {"reference": "#task"}}],
        contained=[{"resourceType": "Task", "id": "task", "description": "${id}"}],
    )
    assert with_needed(found, [1]) == [0, 1]


def test_needs_are_followed_to_their_start() -> None:
    found = script(
        [operation(responseId="a")],
        [operation(targetId="a", responseId="b")],
        [check(sourceId="b")],
    )
    assert with_needed(found, [2]) == [0, 1, 2]
