"""results.json: what a run gave in short, for scripts, for comparing and for running again."""

from __future__ import annotations

from typing import Any

from fhir_gateway.conformance.results import Outcome, Run, ScriptResult, Step, TestResult

VERSION = 1


def of_run(run: Run) -> dict[str, Any]:
    """A run as JSON; requests and answers are in network.har."""
    return {
        "version": VERSION,
        "tool": run.tool,
        "target": run.target,
        "software": run.software,
        "run": run.run_id,
        "format": run.format,
        "started": run.started.isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 3),
        "ok": run.ok,
        "counts": run.counts(),
        "scripts": [_script(result) for result in run.scripts],
    }


def _script(result: ScriptResult) -> dict[str, Any]:
    return {
        "suite": result.suite,
        "script": result.script,
        "title": result.title,
        "url": result.url,
        "outcome": str(result.outcome),
        "problem": result.problem,
        "setup": [_step(step) for step in result.setup],
        "tests": [_test(test) for test in result.tests],
        "teardown": [_step(step) for step in result.teardown],
    }


def _test(test: TestResult) -> dict[str, Any]:
    return {
        "key": test.key,
        "name": test.name,
        "outcome": str(test.outcome),
        "message": test.message,
        "seconds": round(test.seconds, 3),
        "tags": list(test.tags),
        "requirements": [
            {name: getattr(one, name) for name in one.__slots__ if getattr(one, name)}
            for one in test.requirements
        ],
        "steps": [_step(step) for step in test.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": step.kind, "label": step.label, "outcome": str(step.outcome)}
    if step.outcome != Outcome.PASS or step.kind == "operation":
        found["message"] = step.message
    return found
