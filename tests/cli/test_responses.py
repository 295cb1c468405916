"""The commands for questionnaires and responses, run as a user would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fhir_gateway.cli.root import app
from tests.questionnaire.making import SDC, ask, code, form, path, reply, say, text, when

XML = """<QuestionnaireResponse xmlns="http://hl7.org/fhir"><status value="completed"/>
<item><linkId value="a"/><answer><valueBoolean value="{}"/></answer></item>
</QuestionnaireResponse>"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["questionnaire", *map(str, arguments)])


def write(folder: Path, name: str, content: Any) -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    items = (
        ask("a", "boolean"),
        ask("b", required=True, enableWhen=when("a", "=", answerBoolean=True)),
    )
    return write(tmp_path, "q.json", form(*items))


def test_a_valid_response_gets_an_outcome_and_status_0(tmp_path: Path, asked: Path) -> None:
    for name, content in (
        ("r.json", reply(say("a", {"valueBoolean": False}))),
        ("r.xml", XML.format("false")),
    ):
        response = write(tmp_path, name, content)
        result = run(
            "validate-response", "--questionnaire", asked, "--response", response, "--json"
        )
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["issue"][0]["severity"] == "information"


def test_an_invalid_response_ends_with_status_1(tmp_path: Path, asked: Path) -> None:
    response = write(tmp_path, "r.xml", XML.format("true"))
    result = run("validate-response", "--questionnaire", asked, "--response", response)
    assert result.exit_code == 1
    assert "error: QuestionnaireResponse: [linkId 'b'] an answer is required" in result.stdout


@pytest.mark.parametrize("content", ["{", "[]", '{"resourceType": "Patient"}', "<a/>", "\x00"])
def test_a_file_that_cannot_be_used_ends_with_status_2(
    tmp_path: Path, asked: Path, content: str
) -> None:
    bad = write(tmp_path, "bad.json", content)
    for pair in ((asked, bad), (bad, asked)):
        result = run(
            "validate-response", "--questionnaire", pair[0], "--response", pair[1], "--json"
        )
        assert result.exit_code == 2
        assert "bad.json" in result.output
    missing = run(
        "validate-response", "--questionnaire", asked, "--response", tmp_path / "none.json"
    )
    assert missing.exit_code == 2


def test_enabled_prints_link_ids(tmp_path: Path, asked: Path) -> None:
    response = write(tmp_path, "r.json", reply(say("a", {"valueBoolean": True})))
    result = run("enabled", "--questionnaire", asked, "--response", response, "--json")
    assert json.loads(result.stdout) == ["a", "b"]
    assert run("enabled", "-q", asked, "-r", response).stdout.split() == ["a", "b"]


def test_resources_come_from_files_folders_and_bundles(tmp_path: Path) -> None:
    value_set = {
        "resourceType": "ValueSet",
        "url": "https://example.org/vs",
        "compose": {
            "include": [{"system": "https://example.org/codes", "concept": [{"code": "x"}]}]
        },
    }
    asked = write(tmp_path, "q.json", form(ask("q", "choice", answerValueSet=value_set["url"])))
    response = write(tmp_path, "r.json", reply(say("q", code("y"))))
    folder = tmp_path / "more"
    folder.mkdir()
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": value_set}]}
    one = write(folder, "bundle.json", bundle)
    command = ("validate-response", "-q", asked, "-r", response, "--json")
    assert run(*command).exit_code == 0  # not at hand: a warning
    assert run(*command, "--resources", one).exit_code == 1
    assert run(*command, "--resources", folder).exit_code == 1
    assert run("lint", asked).exit_code == 1
    assert run("lint", asked, "--resources", folder).exit_code == 0
    # Without a questionnaire, the one that the response names.
    named = ("validate-response", "-r", response, "--resources", folder, "--resources", asked)
    assert run(*named).exit_code == 1


def test_populate_prints_a_first_response(tmp_path: Path) -> None:
    initial = path("sdc-questionnaire-initialExpression", "%patient.name.family")
    launch = {
        "url": f"{SDC}/sdc-questionnaire-launchContext",
        "extension": [{"url": "name", "valueCoding": {"code": "patient"}}],
    }
    asked = write(tmp_path, "q.json", form(ask("name", extension=initial), extension=[launch]))
    patient = write(tmp_path, "p.json", {"resourceType": "Patient", "name": [{"family": "Test"}]})
    result = run("populate", asked, "--context", f"patient={patient}")
    assert json.loads(result.stdout)["item"][0]["answer"] == [text("Test")]
    assert run("populate", asked, "--context", "patient").exit_code == 2


def test_assemble_prints_one_form(tmp_path: Path, asked: Path) -> None:
    url = f"{SDC}/sdc-questionnaire-subQuestionnaire"
    module = json.loads(asked.read_text())["url"]
    placeholder = ask("p", "display", extension=[{"url": url, "valueCanonical": module}])
    root = write(tmp_path, "root.json", {**form(placeholder), "url": "https://example.org/root"})
    result = run("assemble", root, "--resources", asked)
    assert [item["linkId"] for item in json.loads(result.stdout)["item"]] == ["a", "b"]
    assert run("assemble", root).exit_code == 2


def test_lint_says_where_and_what(tmp_path: Path) -> None:
    bad = write(tmp_path, "q.json", form(ask("a", "choice")))
    result = run("lint", bad, "--json")
    assert result.exit_code == 1
    finding = json.loads(result.stdout)[0]
    assert (finding["code"], finding["linkId"]) == ("no-options", "a")
    assert finding["expression"] == "Questionnaire.item[0]"
