from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.conformance import capabilities
from tests.conformance.conftest import RunScript
from tests.conformance.recorder import Recorder
from tests.conformance.writing import asserts, messages, operation, outcomes, script

READ = operation("read", resource="Patient", params="/1")


def statement(*resources: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {
        "resourceType": "CapabilityStatement",
        "rest": [{"mode": "server", "resource": list(resources), **rest}],
    }


PATIENT = {
    "type": "Patient",
    "interaction": [{"code": "read"}, {"code": "create", "documentation": "Yes"}],
    "searchParam": [{"name": "identifier", "type": "token"}],
    "operation": [{"name": "validate", "definition": "https://example.org/validate"}],
    "conditionalCreate": True,
    "conditionalDelete": "single",
}


@pytest.mark.parametrize(
    ("wanted", "lacks"),
    [
        (statement(), []),
        (statement(PATIENT), []),
        (statement({"type": "Patient", "interaction": [{"code": "read"}]}), []),
        (statement({"type": "Patient", "conditionalUpdate": False}), []),
        (statement({"type": "Patient", "versioning": "no-version"}), []),
        (statement({"type": "Group"}), ["Group"]),
        (
            statement({"type": "Patient", "interaction": [{"code": "patch"}]}),
            ["Patient interaction patch"],
        ),
        (
            statement({"type": "Patient", "searchParam": [{"name": "name"}]}),
            ["Patient searchParam name"],
        ),
        (statement({"type": "Patient", "conditionalUpdate": True}), ["Patient conditionalUpdate"]),
        (statement(interaction=[{"code": "transaction"}]), ["interaction transaction"]),
    ],
)
def test_what_a_server_lacks_is_named(wanted: dict[str, Any], lacks: list[str]) -> None:
    assert capabilities.lacking(wanted, statement(PATIENT)) == lacks


@pytest.mark.parametrize(
    ("capability", "contained", "outcome"),
    [
        ({"required": True, "capabilities": "#c"}, {"type": "Patient"}, "pass"),
        ({"required": True, "capabilities": "#c"}, {"type": "Group"}, "skip"),
        ({"required": False, "capabilities": "#c"}, {"type": "Group"}, "pass"),
        (
            {"required": True, "validated": False, "capabilities": "#c"},
            {"type": "Group"},
            "pass",
        ),
        ({"required": True, "capabilities": "CapabilityStatement/gone"}, {"type": "Group"}, "pass"),
    ],
)
def test_a_script_is_skipped_where_the_server_has_not_what_it_requires(
    recorder: Recorder,
    server: str,
    run_script: RunScript,
    capability: dict[str, Any],
    contained: dict[str, Any],
    outcome: str,
) -> None:
    recorder.on("GET /metadata", statement(PATIENT))
    resource = script(
        [READ, asserts(response="notFound")],
        contained=[{**statement(contained), "id": "c"}],
        metadata={"capability": [{"validated": True, **capability}]},
    )

    run = run_script(server, resource)

    assert outcomes(run) == [outcome], messages(run)
    if outcome == "skip":
        assert "lacks what it requires: Group" in messages(run)[0]
        assert [one.path for one in recorder.asked] == ["/metadata"]


def test_a_server_without_a_statement_meets_no_requirement(
    server: str, run_script: RunScript
) -> None:
    resource = script(
        [READ, asserts(response="notFound")],
        contained=[{**statement(PATIENT), "id": "c"}],
        metadata={"capability": [{"required": True, "validated": True, "capabilities": "#c"}]},
    )

    run = run_script(server, resource)

    assert outcomes(run) == ["skip"]
    assert "gives no CapabilityStatement" in messages(run)[0]
