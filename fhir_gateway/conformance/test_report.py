"""TestReport: what a script gave, as FHIR R4 says it (https://hl7.org/fhir/R4/testreport.html)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fhir_gateway.conformance.results import BAD, Outcome, Run, ScriptResult, Step, TestResult
from fhir_gateway.fhir.identifiers import BASE
from fhir_gateway.fhir.types import Resource

#: On a test of the report: how the test as a whole ended (R4 has results of actions only).
TEST_OUTCOME = f"{BASE}/StructureDefinition/testreport-test-outcome"
_CONTROL = {code: " " for code in range(32) if chr(code) not in "\t\r\n"}


def report(run: Run, result: ScriptResult) -> Resource:
    """The TestReport of one script."""
    tests = list(result.tests)
    passed = sum(test.outcome in (Outcome.PASS, Outcome.WARNING) for test in tests)
    found: Resource = {
        "resourceType": "TestReport",
        "name": f"{result.suite}/{result.script}",
        "status": "stopped" if result.stopped else "completed",
        "testScript": _script(result),
        "result": "fail" if result.outcome in BAD else "pass",
        "score": round(100 * passed / len(tests)) if tests else 0,
        "tester": run.tool,
        "issued": (result.started or run.started).isoformat(timespec="seconds"),
        "participant": [
            {"type": "test-engine", "uri": "https://w3id.org/fhir-gateway", "display": run.tool},
            {"type": "server", "uri": run.target, **_display(run.software)},
        ],
    }
    if result.outcome == Outcome.SKIP:
        # R4 knows only pass, fail and pending: what was not run is not a pass.
        found["result"] = "pending"
    if result.setup or result.problem:
        found["setup"] = {"action": _setup(result)}
    if tests:
        found["test"] = [_test(test) for test in tests]
    if result.teardown:
        found["teardown"] = {
            "action": [{"operation": _operation(step)} for step in result.teardown]
        }
    return found


def _script(result: ScriptResult) -> Resource:
    display = {"display": _text(result.title)}
    return {"reference": result.url, **display} if result.url else display


def _display(text: str) -> dict[str, str]:
    return {"display": _text(text)} if text.strip() else {}


def _setup(result: ScriptResult) -> list[Resource]:
    if result.problem:
        return [{"operation": {"result": "error", "message": _text(result.problem)}}]
    return _actions(result.setup)


def _test(test: TestResult) -> Resource:
    steps = _actions(test.steps)
    if not steps:
        steps = [{"assert": {"result": str(test.outcome), **_message(test.message)}}]
    found: Resource = {
        "extension": [{"url": TEST_OUTCOME, "valueCode": str(test.outcome)}],
        "name": _text(test.name),
        "action": steps,
    }
    if test.description.strip():
        found["description"] = _text(test.description)
    return found


def _actions(steps: Sequence[Step]) -> list[Resource]:
    return [
        {"operation": _operation(step)} if step.kind == "operation" else {"assert": _assert(step)}
        for step in steps
    ]


def _operation(step: Step) -> Resource:
    found: dict[str, Any] = {"result": str(step.outcome)}
    text = ": ".join(part for part in (step.label, step.message) if part.strip())
    return {**found, **_message(text)}


def _assert(step: Step) -> Resource:
    label = {"detail": _text(step.label)} if step.label.strip() else {}
    return {"result": str(step.outcome), **_message(step.message), **label}


def _message(text: str) -> dict[str, str]:
    return {"message": _text(text)} if text.strip() else {}


def _text(text: str) -> str:
    """A text that FHIR takes: no control characters, never empty."""
    return text.translate(_CONTROL).encode("utf-8", "replace").decode().strip() or "-"
