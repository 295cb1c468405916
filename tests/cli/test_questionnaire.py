"""`questionnaire list`, `lint`, `assemble`, `validate-response` and `enabled`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.conftest import QUESTIONNAIRES

MEDICAL = QUESTIONNAIRES / "Questionnaire-pifu-medical.json"
SMALL: dict[str, Any] = {
    "resourceType": "Questionnaire",
    "url": "https://example.org/Questionnaire/small",
    "version": "1",
    "status": "active",
    "title": "Small",
    "item": [
        {"linkId": "a", "text": "Pain?", "type": "boolean", "required": True},
        {
            "linkId": "b",
            "text": "Where?",
            "type": "string",
            "enableWhen": [{"question": "a", "operator": "=", "answerBoolean": True}],
        },
    ],
}


def write(folder: Path, name: str, content: Any) -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A small questionnaire."""
    return write(tmp_path, "small.json", SMALL)


@pytest.fixture
def response(tmp_path: Path) -> Callable[..., Path]:
    """Writes a response to it."""

    def make(*answers: tuple[str, Any]) -> Path:
        items = [{"linkId": link_id, "answer": [value]} for link_id, value in answers]
        resource = {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": f"{SMALL['url']}|1",
            "status": "completed",
            "item": items,
        }
        return write(tmp_path, "response.json", resource)

    return make


def test_questionnaires_are_listed_with_their_modules(
    run: Run, run_json: Callable[..., Any]
) -> None:
    listed = {row["url"].rpartition("/")[2]: row for row in run_json("questionnaire", "list")}
    assert {"pifu-medical", "pifu-admin"} <= set(listed)
    assert not listed["pifu-medical"]["module"]
    assert any(row["module"] for row in listed.values())
    assert "module" in run("questionnaire", "list").stdout


def test_nothing_is_wrong_with_the_shipped_ones(run: Run) -> None:
    done = run("questionnaire", "lint", MEDICAL)
    assert done.exit_code == 0, done.stdout


def test_what_is_wrong_is_said_and_ends_with_1(run: Run, tmp_path: Path) -> None:
    item = [{"linkId": "a", "type": "string"}, {"linkId": "a", "type": "string", "text": "Two"}]
    broken = write(tmp_path, "broken.json", {**SMALL, "item": item})
    done = run("questionnaire", "lint", broken, "--json")
    assert done.exit_code == 1
    assert any(f["linkId"] == "a" and f["severity"] == "error" for f in json.loads(done.stdout))


def test_modules_are_put_in_place(run: Run) -> None:
    done = run("questionnaire", "assemble", MEDICAL)
    assert done.exit_code == 0
    assembled = json.loads(done.stdout)
    assert assembled["resourceType"] == "Questionnaire"
    assert "patient-given" in done.stdout


def test_a_valid_response_is_valid(run: Run, small: Path, response: Callable[..., Path]) -> None:
    file = response(("a", {"valueBoolean": True}), ("b", {"valueString": "Knee"}))
    done = run("questionnaire", "validate-response", "--questionnaire", small, "--response", file)
    assert done.exit_code == 0
    assert "All OK" in done.stdout


def test_an_invalid_response_ends_with_1(
    run: Run, small: Path, response: Callable[..., Path]
) -> None:
    arguments = ("--questionnaire", small, "--response", response())
    done = run("questionnaire", "validate-response", *arguments)
    assert done.exit_code == 1
    assert "error: " in done.stdout
    as_json = run("questionnaire", "validate-response", *arguments, "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(("pain", "enabled"), [(True, ["a", "b"]), (False, ["a"])])
def test_the_enabled_items_are_listed(
    run: Run,
    run_json: Callable[..., Any],
    small: Path,
    response: Callable[..., Path],
    pain: bool,
    enabled: list[str],
) -> None:
    file = response(("a", {"valueBoolean": pain}))
    arguments = ("questionnaire", "enabled", "--questionnaire", small, "--response", file)
    assert run_json(*arguments) == enabled
    assert run(*arguments).stdout.split() == enabled


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"a": 1, "a": 2}', "\x00"])
@pytest.mark.parametrize("command", ["lint", "assemble"])
def test_what_is_no_resource_ends_with_a_sentence(
    run: Run, tmp_path: Path, command: str, content: str
) -> None:
    done = run("questionnaire", command, write(tmp_path, "wrong.json", content))
    assert done.exit_code == 1
    assert "wrong.json" in done.stderr


def test_a_file_that_is_not_there_is_a_usage_error(run: Run) -> None:
    assert run("questionnaire", "lint", "nowhere.json").exit_code == 2
