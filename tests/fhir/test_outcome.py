"""OperationOutcomes."""

from __future__ import annotations

import pytest

from fhir_gateway.fhir import check
from fhir_gateway.fhir.outcome import SEVERITIES, has_errors, issue, outcome, single


def test_an_issue_has_what_was_given_and_nothing_empty() -> None:
    assert issue("error", "value", "Wrong.") == {
        "severity": "error",
        "code": "value",
        "diagnostics": "Wrong.",
    }
    full = issue("error", "value", "Wrong.", expression=["a.b"], coding=[{"code": "x"}])
    assert full["expression"] == ["a.b"]
    assert full["details"] == {"coding": [{"code": "x"}]}


def test_an_outcome_is_never_empty() -> None:
    assert outcome([])["issue"] == [issue("information", "informational", "All OK")]
    assert check.problems(outcome([])) == []


@pytest.mark.parametrize("severity", SEVERITIES)
def test_only_errors_and_worse_are_errors(severity: str) -> None:
    made = single(severity, "value", "Text.")
    assert has_errors(made) is (severity in ("error", "fatal"))
    assert check.problems(made) == []


def test_a_broken_outcome_has_no_errors() -> None:
    assert not has_errors({})
    assert not has_errors({"issue": ["x", None]})
