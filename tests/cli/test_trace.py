"""The command `trace`, as an operator runs it, with the sandbox PDS over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fhir_gateway.app import build
from fhir_gateway.cli.root import app
from fhir_gateway.sandbox.pds.app import BASE_PATH, create_app
from fhir_gateway.sandbox.pds.personas import person
from fhir_gateway.settings import load
from fhir_gateway.store import operator_traces
from fhir_gateway.store.operator_traces import OperatorTrace
from tests.serving import serve

runner = CliRunner()
WHY = ["--reason", "patient on the phone", "--ods-code", "Y90001", "--operator", "ada"]


@pytest.fixture(scope="module")
def pds() -> Iterator[str]:
    with serve(create_app()) as base:
        yield f"{base}{BASE_PATH}"


@pytest.fixture(autouse=True)
def settings(pds: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FHIR_GATEWAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("FHIR_GATEWAY_PDS_BASE_URL", pds)
    monkeypatch.setenv("FHIR_GATEWAY_PDS_TOKEN", "any")


def patient(key: str, **changes: Any) -> str:
    who = person(key)
    resource: dict[str, Any] = {
        "resourceType": "Patient",
        "name": [{"family": who.family, "given": [who.given]}],
        "birthDate": who.birth_date,
        "gender": who.gender,
        "address": [{"postalCode": who.postcode}],
    }
    return json.dumps({**resource, **changes})


def run(*options: str, stdin: str) -> Result:
    return runner.invoke(app, ["trace", *WHY, *options], input=stdin)


def rows() -> list[OperatorTrace]:
    gateway = build(load())
    gateway.prepare()
    with gateway.database.transaction() as tx:
        found = operator_traces.newest(tx, 10)
    gateway.close()
    return found


def test_what_agrees_is_shown_and_the_trace_is_recorded() -> None:
    result = run("--patient", "-", stdin=patient("typical"))
    assert result.exit_code == 0, result.output
    assert "probable: not-proven (precise)" in result.output
    assert "NHS number on PDS: 999 000 1006" in result.output
    [row] = rows()
    assert (row.operator, row.ods_code) == ("ada", "Y90001")
    assert (row.outcome, row.calls) == ("not-proven", 1)
    assert row.asked["reason"] == "patient on the phone"


def test_a_trace_is_in_the_audit_with_whom_and_why() -> None:
    number = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990001006"}
    run("--patient", "-", stdin=patient("typical", identifier=[number]))
    listed = runner.invoke(
        app, ["audit", "list", "--entity", f"{number['system']}|{number['value']}", "--json"]
    )
    (event,) = json.loads(listed.stdout)
    assert (event["subtype"][0]["code"], event["action"]) == ("trace", "R")
    assert event["agent"][0]["who"]["identifier"]["value"] == "ada"
    assert event["outcomeDesc"] == "not-proven: patient on the phone"


def test_a_script_reads_json() -> None:
    found = json.loads(run("--patient", "-", "--json", stdin=patient("typical")).stdout)
    assert (found["level"], found["status"], found["nhs_number"]) == (
        "probable",
        "03",
        "9990001006",
    )


def test_the_bundle_of_match() -> None:
    bundle = json.loads(run("--patient", "-", "--match", stdin=patient("typical")).stdout)
    assert bundle["entry"][0]["resource"]["id"] == "9990001006"
    assert bundle["entry"][0]["search"]["extension"][0]["valueCode"] == "probable"


def test_earlier_names_are_looked_at() -> None:
    name = [{"family": "Malik", "given": ["Aisha"]}]
    found = json.loads(run("--patient", "-", "--json", stdin=patient("married", name=name)).stdout)
    assert (found["level"], found["steps"]) == ("probable", ["precise", "history"])


def test_the_number_of_a_restricted_record_is_not_shown() -> None:
    number = {"system": "https://fhir.nhs.uk/Id/nhs-number"}
    known = person("restricted").nhs_number
    asked = patient("restricted", identifier=[{**number, "value": known}])
    found = json.loads(run("--patient", "-", "--json", stdin=asked).stdout)
    assert (found["outcome"], found["nhs_number"]) == ("restricted", None)


def test_without_a_file_the_details_are_asked_for() -> None:
    result = run(stdin="\nSharma\nPriya\n1984-03-12\nLS6 2AB\n")
    assert result.exit_code == 0, result.output
    assert "probable" in result.output


def test_a_trace_that_fails_is_recorded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FHIR_GATEWAY_PDS_BASE_URL", "http://127.0.0.1:9/none")
    monkeypatch.setattr("fhir_gateway.cli.trace._PATIENCE", 0.0)
    result = run("--patient", "-", stdin=patient("typical"))
    assert result.exit_code == 1
    assert "could not be reached" in result.output
    assert [row.outcome for row in rows()] == ["failed"]


@pytest.mark.parametrize(
    ("options", "stdin", "says"),
    [
        (["--patient", "-"], "{", "not JSON"),
        (["--patient", "-"], '{"resourceType": "Person"}', "no FHIR Patient"),
        (["--patient", "/nowhere/x.json"], "", "cannot be read"),
        ([], "9990001007\n", "no NHS number"),
    ],
)
def test_bad_input_says_what_is_wrong_and_traces_nobody(
    options: list[str], stdin: str, says: str
) -> None:
    result = run(*options, stdin=stdin)
    assert result.exit_code != 0
    assert says in result.output
    assert rows() == []


@pytest.mark.parametrize("wrong", [["--reason", " "], ["--ods-code", "y9"]])
def test_reason_and_organisation_are_needed(wrong: list[str]) -> None:
    result = runner.invoke(app, ["trace", *WHY, *wrong, "--patient", "-"], input=patient("typical"))
    assert result.exit_code == 2
    assert rows() == []
