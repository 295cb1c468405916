"""`mapping list`, `test`, `run` and `export`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

RESPONSE = {
    "resourceType": "QuestionnaireResponse",
    "questionnaire": "https://w3id.org/fhir-gateway/Questionnaire/pifu-medical|1.0.0",
    "status": "completed",
    "authored": "2026-11-25T09:30:00Z",
}


@pytest.fixture
def response(tmp_path: Path) -> Path:
    """A response without any answer."""
    file = tmp_path / "response.json"
    file.write_text(json.dumps(RESPONSE))
    return file


def test_mappings_are_listed(run: Run, run_json: Callable[..., Any]) -> None:
    names = [row["name"] for row in run_json("mapping", "list")]
    assert {"as-submitted", "uk-core-transaction"} <= set(names)
    assert "as-submitted" in run("mapping", "list").stdout


def test_the_golden_examples_of_the_shipped_mappings_are_equal(run: Run) -> None:
    done = run("mapping", "test", "--json")
    assert done.exit_code == 0
    assert all(not result["diff"] for result in json.loads(done.stdout))


def test_a_bundle_is_printed(run: Run, response: Path) -> None:
    done = run("mapping", "run", "as-submitted", response)
    assert json.loads(done.stdout)["resourceType"] == "Bundle"


@pytest.mark.parametrize("content", ["[]", "5", '"text"'])
def test_a_context_is_a_json_object(run: Run, response: Path, tmp_path: Path, content: str) -> None:
    context = tmp_path / "context.json"
    context.write_text(content)
    done = run("mapping", "run", "as-submitted", response, "--context", context)
    assert done.exit_code == 2
    assert "is not a JSON object" in done.stderr


@pytest.mark.parametrize(
    "content", ["", "{}", '{"resourceType": "Patient"}', '{"resourceType": "Questionnaire"}']
)
def test_what_is_no_response_ends_with_a_sentence(run: Run, response: Path, content: str) -> None:
    response.write_text(content)
    done = run("mapping", "run", "as-submitted", response)
    assert done.exit_code == 1
    assert done.stderr


def test_the_standard_questionnaire_is_exported(run: Run) -> None:
    done = run("mapping", "export", "as-submitted")
    assert json.loads(done.stdout)["resourceType"] == "Questionnaire"
    unknown = run("mapping", "export", "as-submitted", "--questionnaire", "urn:nowhere")
    assert unknown.exit_code == 1
    assert "urn:nowhere" in unknown.stderr


@pytest.mark.parametrize("command", ["test", "export"])
def test_an_unknown_mapping_is_said_with_those_there_are(run: Run, command: str) -> None:
    done = run("mapping", command, "nonsense")
    assert done.exit_code == 1
    assert "There are: as-submitted, uk-core-transaction" in done.stderr
