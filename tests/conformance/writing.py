"""TestScripts in few words, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fhir_gateway.conformance.results import Run


def script(*tests: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """A TestScript whose tests have these actions."""
    return {
        "resourceType": "TestScript",
        "id": "script",
        "url": "https://example.org/TestScript/script",
        "name": "Script",
        "status": "draft",
        "test": [
            {"id": f"t{number}", "name": f"Test {number}", "action": list(actions)}
            for number, actions in enumerate(tests, 1)
        ],
        **more,
    }


def operation(code: str = "", **more: Any) -> dict[str, Any]:
    """An action that is an operation."""
    kind = {"type": {"code": code}} if code else {}
    return {"operation": {**kind, "encodeRequestUrl": True, **more}}


def asserts(**more: Any) -> dict[str, Any]:
    """An action that is an assert."""
    return {"assert": {"warningOnly": False, **more}}


def outcomes(run: Run) -> list[str]:
    """How the tests ended, in order."""
    return [str(test.outcome) for test in run.tests()]


def messages(run: Run) -> list[str]:
    """Why, in order."""
    return [test.message for test in run.tests()]
