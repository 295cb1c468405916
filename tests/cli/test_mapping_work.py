"""The commands about mappings, as somebody at a terminal uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fhir_gateway import shipped
from fhir_gateway.cli.mapping import app

CASES = shipped.folder("mappings") / "examples"


@pytest.fixture
def mappings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of mappings of one's own, as the settings name it."""
    folder = tmp_path / "mappings"
    folder.mkdir()
    monkeypatch.setenv("FHIR_GATEWAY_MAPPINGS", str(folder))
    return folder


def run(*arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == status, result.output
    return result


def test_a_new_mapping_lints_clean_maps_its_examples_and_shows_a_later_difference(
    mappings: Path,
) -> None:
    run("new", "--name", "my-epr", "--resource", "ServiceRequest")
    assert "No findings" in run("lint", "my-epr").output
    run("test", "my-epr", "--write")
    assert "equal" in run("test", "my-epr").output
    template = mappings / "my-epr" / "ServiceRequest.json"
    template.write_text(template.read_text().replace('"proposal"', '"order"'))
    output = run("test", "my-epr", status=1).output
    assert "entry[0].resource.intent: expected 'proposal', got 'order'" in output


def test_new_asks_when_nothing_is_said(mappings: Path) -> None:
    result = CliRunner().invoke(app, ["new"], input="asked\nCommunication\n")
    assert result.exit_code == 0, result.output
    assert (mappings / "asked" / "Communication.json").is_file()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--name", "My EPR", "--resource", "Task"], "small letters"),
        (["--name", "x", "--resource", "Tsk"], "no FHIR resource type"),
    ],
)
def test_new_says_what_it_needs(mappings: Path, options: list[str], text: str) -> None:
    assert text in run("new", *options, status=1).output
    assert list(mappings.iterdir()) == []


def test_a_mapping_that_extends_another_takes_its_templates(mappings: Path) -> None:
    folder = mappings / "ours"
    folder.mkdir()
    (folder / "manifest.toml").write_text(
        'name = "ours"\nversion = "1"\nextends = "uk-core-transaction"\n'
        'applies-to = ["https://w3id.org/fhir-gateway/Questionnaire/pifu-medical|1.0.0"]\n'
        'allocate-id = ["patientId"]\n[[template]]\nfile = "Patient.json"\n'
    )
    case = "medical-me-matched"
    output = run(
        "run", "ours", f"{CASES}/{case}.response.json", "--context", f"{CASES}/{case}.context.json"
    ).stdout
    [entry] = json.loads(output)["entry"]
    assert entry["resource"]["resourceType"] == "Patient"


def test_run_takes_any_questionnaire_with_extraction_extensions(tmp_path: Path) -> None:
    from tests.mapping.forms import answer, form, item, response, uses, value

    template = {"resourceType": "Patient", "id": "t", "name": [{"_text": value("answer.value")}]}
    questionnaire, answers = tmp_path / "q.json", tmp_path / "r.json"
    questionnaire.write_text(
        json.dumps(form(item("a", "string", uses("t")), templates=(template,)))
    )
    answers.write_text(json.dumps(response(answer("a", "x"))))
    output = run("run", str(questionnaire), str(answers)).stdout
    assert json.loads(output)["entry"][0]["resource"]["name"] == [{"text": "x"}]


def test_run_says_what_went_wrong_and_ends_with_1() -> None:
    case = "medical-me-matched"
    result = run("run", "bars-shaped", f"{CASES}/{case}.response.json", status=1)
    assert "error" in result.output


def test_export_prints_a_derived_questionnaire() -> None:
    exported = json.loads(run("export", "uk-core-transaction").stdout)
    assert exported["derivedFrom"] == [
        "https://w3id.org/fhir-gateway/Questionnaire/pifu-medical|1.0.0"
    ]
    assert "ServiceRequest" in [c["resourceType"] for c in exported["contained"]]


def test_a_mapping_that_is_not_there_is_said_with_those_there_are() -> None:
    assert "There are: as-submitted, bars-shaped" in run("lint", "nope", status=1).output
