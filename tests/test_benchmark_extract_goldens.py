"""The benchmark of golden cases tells equal from different, for any folder in its format."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.mapping.forms import answer, form, item, response, uses, value

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "extract_goldens.py"


def folder(tmp_path: Path, expected: Any) -> Path:
    template = {
        "resourceType": "Basic",
        "id": "t",
        "_created": value("today()"),
        "author": {
            "_display": value("answer.value"),
            "_reference": value("'urn:uuid:' & %resource.id"),
        },
    }
    files: dict[str, Any] = {
        "q.json": form(item("a", "string", uses("t")), templates=(template,)),
        "r.json": response(answer("a", "x"), id="0b8a4a0e-6f0e-4d6e-9d0a-1f3b6f0a2c11"),
        "e.json": expected,
        "index.json": {
            "cases": [
                {
                    "id": "one",
                    "kind": "template-extract",
                    "questionnaire": "q.json",
                    "response": "r.json",
                    "expectedBundle": "e.json",
                },
                {
                    "id": "two",
                    "kind": "template-extract",
                    "questionnaire": "q.json",
                    "response": None,
                },
            ]
        },
    }
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    return tmp_path


def run(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(path), "--rounds", "1", *options],
        capture_output=True,
        text=True,
        check=False,
    )


def expected(display: str) -> dict[str, Any]:
    author = {"display": display, "reference": "urn:uuid:6f6177d2-13ee-4d27-b0e8-3eaf663dd031"}
    resource = {"resourceType": "Basic", "created": "2025-01-01", "author": author}
    return {"resourceType": "Bundle", "entry": [{"resource": resource}]}


def test_uuids_and_clocks_are_taken_out(tmp_path: Path) -> None:
    done = run(folder(tmp_path, expected("x")))
    assert done.returncode == 0, done.stdout
    assert "equal      one" in done.stdout
    assert "not judged two" in done.stdout


def test_a_difference_is_shown_and_is_an_exit_status(tmp_path: Path) -> None:
    done = run(folder(tmp_path, expected("y")), "--json")
    assert done.returncode == 1
    [one, _] = json.loads(done.stdout)
    assert one["differences"] == ["Basic (entry 1).author.display: expected 'y', got 'x'"]


@pytest.mark.parametrize("content", [[], {"resourceType": "Bundle"}])
def test_what_is_not_expected_is_shown(tmp_path: Path, content: Any) -> None:
    done = run(folder(tmp_path, content))
    assert done.returncode == 1
    assert "Basic: not expected" in done.stdout
