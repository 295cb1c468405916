from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.conformance import runs
from fhir_gateway.conformance import test_report as reports
from fhir_gateway.conformance.results import Run
from fhir_gateway.fhir import check
from tests.conformance import report_runs
from tests.conformance.conftest import RunScript
from tests.conformance.writing import asserts, operation, script
from tests.peers.hl7_validator.client import Hl7Validator


def test_reports_are_valid_r4_by_the_models() -> None:
    run = report_runs.run()

    for result in run.scripts:
        assert check.problems(reports.report(run, result)) == []


@pytest.mark.java
def test_reports_are_valid_r4_by_the_hl7_validator(hl7_validator: Hl7Validator) -> None:
    run = report_runs.run(hostile=False)

    for result in run.scripts:
        issues = hl7_validator.validate(reports.report(run, result))
        assert [str(i) for i in issues if i.severity in ("fatal", "error")] == []


@pytest.mark.parametrize(
    ("expected", "result"), [("notFound", "pass"), ("okay", "fail"), ("splendid", "fail")]
)
def test_the_result_is_that_of_its_tests(
    server: str, run_script: RunScript, expected: str, result: str
) -> None:
    read = operation("read", resource="Patient", params="/1")

    run = run_script(server, script([read, asserts(response=expected)]))

    [report] = [reports.report(run, one) for one in run.scripts]
    assert report["result"] == result
    assert report["score"] == (100 if result == "pass" else 0)
    assert report["testScript"]["reference"] == "https://example.org/TestScript/script"


def test_what_was_only_skipped_is_pending_and_no_pass(server: str, run_script: RunScript) -> None:
    run = run_script(server, script([operation("frobnicate")]))

    [report] = [reports.report(run, one) for one in run.scripts]
    assert report["result"] == "pending"
    assert report["test"][0]["action"][0]["operation"]["result"] == "skip"


def test_a_run_that_somebody_ended_is_stopped_and_not_completed(
    server: str, run_script: RunScript, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = operation("read", resource="Patient", params="/1")
    steps = [read, asserts(response="notFound")]
    ended: list[object] = []
    run_all = runs.run

    def run_until_the_first_test(*args: Any, **kwargs: Any) -> Run:
        return run_all(*args, on_test=ended.append, stopped=lambda: bool(ended), **kwargs)

    monkeypatch.setattr(runs, "run", run_until_the_first_test)
    run = run_script(server, script(steps, steps))

    [report] = [reports.report(run, one) for one in run.scripts]
    assert (report["status"], report["result"], report["score"]) == ("stopped", "pending", 50)
    assert check.problems(report) == []
