"""`service import`, `list` and `show`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run


def edit(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    bundle = json.loads(file.read_text())
    change(bundle)
    file.write_text(json.dumps(bundle))


def test_a_service_is_added_and_replaced(
    run: Run, run_json: Callable[..., Any], service_file: Path
) -> None:
    assert run_json("service", "import", service_file) == {
        "service": "rheumatology",
        "new": True,
        "warnings": [],
    }
    again = run("service", "import", service_file)
    assert "Replaced the service 'rheumatology'" in again.stdout
    assert "fhir-gateway link send --service rheumatology" in again.stdout


def test_services_are_listed_and_shown(
    run: Run, run_json: Callable[..., Any], service: str, epr: str
) -> None:
    (only,) = run_json("service", "list")
    assert only == {"service": service, "name": "Rheumatology", "ods": "RZZ99", "epr": epr}
    assert "Rheumatology" in run("service", "list").stdout
    shown = run_json("service", "show", service)
    assert shown["stopped_for_emergency"] == 0
    assert "Replies within 2 working days" in run("service", "show", service).stdout


def test_an_empty_gateway_says_how_to_begin(run: Run, run_json: Callable[..., Any]) -> None:
    assert "fhir-gateway service import" in run("service", "list").stdout
    assert run_json("service", "list") == []
    gone = run("service", "show", "nonsense")
    assert gone.exit_code == 1
    assert "There is no service 'nonsense'" in gone.stderr


def test_an_epr_that_does_not_answer_is_a_warning(run: Run, service_file: Path) -> None:
    edit(
        service_file,
        lambda b: b["entry"][2]["resource"].update(address="http://127.0.0.1:9/fhir"),
    )
    done = run("service", "import", service_file)
    assert done.exit_code == 0
    assert "Warning: The EPR could not be reached" in done.stdout
    silent = run("service", "import", service_file, "--no-check-epr")
    assert "Warning" not in silent.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "Not valid JSON"),
        ("[]", "is not a FHIR resource"),
        ('{"resourceType": "Patient"}', "not a FHIR Bundle"),
        ('{"resourceType": "Bundle"}', "HealthcareService.name is missing"),
    ],
)
def test_a_file_that_is_no_service_is_refused_with_its_name(
    run: Run, tmp_path: Path, content: str, said: str
) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(content)
    done = run("service", "import", file)
    assert done.exit_code == 1
    assert said in done.stderr
    assert "wrong.json" in done.stderr


def test_a_file_that_is_not_there_is_a_usage_error(run: Run) -> None:
    assert run("service", "import", "nowhere.json").exit_code == 2


def test_what_a_service_names_and_the_gateway_does_not_have_is_said(
    run: Run, service_file: Path
) -> None:
    def change(bundle: dict[str, Any]) -> None:
        types = bundle["entry"][0]["resource"]["extension"]
        types[0]["extension"][0]["valueCanonical"] = "urn:nowhere"
        types[1]["extension"][1]["valueString"] = "no-such-mapping"

    edit(service_file, change)
    done = run("service", "import", service_file)
    assert done.exit_code == 1
    assert "urn:nowhere" in done.stderr
    assert "There is no mapping 'no-such-mapping'" in done.stderr
    assert run("service", "show", "rheumatology").exit_code == 1
