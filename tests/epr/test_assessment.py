"""Which strategy follows from what a server declares."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fhir_gateway.cli.root import app
from fhir_gateway.epr.assessment import assess
from fhir_gateway.epr.capability import read
from fhir_gateway.provider.endpoint import EprEndpoint, PatientPolicy, RepeatMode, Strategy
from tests.epr.conftest import SandboxEpr
from tests.epr.scripted import declared
from tests.requirements import require

ENDPOINT = EprEndpoint("https://epr.example.nhs.uk/fhir")


def real(name: str) -> Path:
    """A real statement among the reference data; skips without it."""
    data = os.environ.get("FHIR_GATEWAY_REFERENCE_DATA")
    file = Path(data or "/nowhere") / "epr" / f"{name}_r4_capabilities_compact.json"
    if not file.is_file():
        require("epr-statements", "set FHIR_GATEWAY_REFERENCE_DATA to a folder with `epr` in it")
    return file


@pytest.mark.parametrize(
    ("statement", "strategy", "repeat"),
    [
        (declared(), Strategy.TRANSACTION, RepeatMode.INTENT_SEARCH),
        (declared(conditional=True), Strategy.TRANSACTION, RepeatMode.CONDITIONAL_CREATE),
        (declared(identifier=False), Strategy.TRANSACTION, RepeatMode.OPERATOR_CHECK),
        (declared(system=()), Strategy.CREATES, RepeatMode.INTENT_SEARCH),
        (declared("Communication", system=()), Strategy.COMMUNICATION, RepeatMode.INTENT_SEARCH),
        (declared("DocumentReference", system=()), Strategy.DOCUMENT, RepeatMode.INTENT_SEARCH),
        (declared("Observation", system=()), Strategy.FILE, RepeatMode.CONDITIONAL_CREATE),
        ({"fhirVersion": "4.0.1"}, Strategy.FILE, RepeatMode.CONDITIONAL_CREATE),
    ],
)
def test_the_strategy_that_follows(
    statement: dict[str, object], strategy: Strategy, repeat: RepeatMode
) -> None:
    found = assess(read(statement))
    assert (found.strategy, found.repeat) == (strategy, repeat)


def test_only_what_is_said_of_the_server_counts() -> None:
    statement = declared()
    statement["rest"][0]["mode"] = "client"
    assert assess(read(statement)).strategy is Strategy.FILE


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        (replace(ENDPOINT, strategy=Strategy.TRANSACTION), "does not declare transaction"),
        (replace(ENDPOINT, strategy=Strategy.MESSAGE), r"\$process-message"),
        (
            replace(ENDPOINT, strategy=Strategy.CREATES, repeat=RepeatMode.CONDITIONAL_CREATE),
            "use 'intent-search'",
        ),
        (
            replace(ENDPOINT, strategy=Strategy.CREATES, repeat=RepeatMode.PUT_BY_CLIENT_ID),
            "update as create",
        ),
    ],
)
def test_a_configuration_that_does_not_fit_is_named(endpoint: EprEndpoint, words: str) -> None:
    import re

    found = assess(read(declared(system=())), endpoint)
    assert any(re.search(words, problem) for problem in found.problems)


def test_a_configuration_that_fits_has_no_problems() -> None:
    assert not assess(read(declared()), ENDPOINT).problems


def test_another_version_of_fhir_is_a_problem() -> None:
    found = assess(read({**declared(), "fhirVersion": "3.0.2"}), ENDPOINT)
    assert any("3.0.2" in problem for problem in found.problems)


def test_an_epr_without_patient_create_needs_another_policy() -> None:
    statement = read(declared("ServiceRequest", system=()))
    endpoint = replace(ENDPOINT, strategy=Strategy.CREATES)
    assert any("takes no Patient" in p for p in assess(statement, endpoint).problems)
    required = replace(endpoint, patient=PatientPolicy.REQUIRE)
    assert any("search of Patient" in p for p in assess(statement, required).problems)


def test_epic_takes_single_creates() -> None:
    found = assess(read(json.loads(real("epic").read_bytes())))
    assert (found.strategy, found.repeat) == (Strategy.CREATES, RepeatMode.INTENT_SEARCH)
    assert any("Provenance, RelatedPerson, Task" in note for note in found.notes)


def test_oracle_takes_a_communication_and_cannot_be_searched_for_it() -> None:
    found = assess(read(json.loads(real("oracle_millennium").read_bytes())))
    assert (found.strategy, found.repeat) == (Strategy.COMMUNICATION, RepeatMode.OPERATOR_CHECK)


@pytest.mark.parametrize("name", ["epic", "oracle_millennium"])
def test_the_command_reads_a_saved_statement(name: str) -> None:
    answer = CliRunner().invoke(app, ["epr", "check", "--file", str(real(name)), "--json"])
    assert answer.exit_code == 0
    found = json.loads(answer.stdout)[0]
    assert found["resources"]["Communication"]["create"] is True
    assert found["follows"]["strategy"] in ("creates", "communication")


def test_the_command_asks_a_server(sandbox: SandboxEpr) -> None:
    answer = CliRunner().invoke(app, ["epr", "check", "--url", sandbox.base])
    assert answer.exit_code == 0
    assert "strategy 'transaction', repeat 'conditional-create'" in answer.stdout


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "some.json"
    file.write_text('{"resourceType": "Patient"}')
    answer = CliRunner().invoke(app, ["epr", "check", "--file", str(file)])
    assert answer.exit_code == 1
    assert "holds no CapabilityStatement" in answer.stderr
    gone = CliRunner().invoke(app, ["epr", "check", "--url", "http://127.0.0.1:9/fhir"])
    assert gone.exit_code == 1
    assert "could not be reached" in gone.stderr
    both = CliRunner().invoke(app, ["epr", "check", "x", "--url", "https://a.example/fhir"])
    assert both.exit_code == 2
