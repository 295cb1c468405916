"""Scripts of several servers: which one an operation means, and what is created where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_gateway.conformance import runs
from fhir_gateway.conformance.http import Caller
from fhir_gateway.conformance.results import Run
from fhir_gateway.conformance.suites import read_suite
from tests.conformance.conftest import RunScript
from tests.conformance.recorder import Recorder
from tests.conformance.writing import asserts, messages, operation, outcomes, script
from tests.serving import serve

PROFILE = {"code": "FHIR-Server"}
TWO = [{"index": 1, "profile": PROFILE}, {"index": 2, "profile": PROFILE}]
PATIENT = {"resourceType": "Patient", "active": True}


@pytest.fixture
def second() -> Recorder:
    return Recorder()


@pytest.fixture
def other(second: Recorder) -> Iterator[str]:
    with serve(second.app) as base:
        yield base


def run_on_two(folder: Path, bases: tuple[str, str], resource: dict[str, Any]) -> Run:
    (folder / "patient.json").write_text(json.dumps(PATIENT))
    (folder / "script.json").write_text(json.dumps(resource))
    with Caller(bases[0]) as one, Caller(bases[1]) as two:
        return runs.run(runs.Plan([read_suite(folder)]), {1: one, 2: two})


def test_what_is_created_on_one_server_is_read_and_deleted_there(
    recorder: Recorder, second: Recorder, server: str, other: str, tmp_path: Path
) -> None:
    recorder.on("POST /Patient", status=201, location="Patient/one")
    second.on("POST /Patient", status=201, location="Patient/two")
    fixture = {"id": "p", "autodelete": True, "resource": {"reference": "patient.json"}}

    run_on_two(
        tmp_path,
        (server, other),
        script(
            [operation("create", sourceId="p", destination=2), asserts(response="created")],
            destination=TWO,
            fixture=[fixture],
        ),
    )
    run_on_two(
        tmp_path,
        (server, other),
        script(
            [operation("read", targetId="p", destination=n) for n in (1, 2)],
            destination=TWO,
            fixture=[{**fixture, "autocreate": True}],
        ),
    )

    asked = [f"{one.method} {one.path}" for one in recorder.asked if one.path != "/metadata"]
    assert asked == ["POST /Patient", "GET /Patient/one", "DELETE /Patient/one"]
    assert [f"{one.method} {one.path}" for one in second.asked] == [
        "POST /Patient",
        "DELETE /Patient/two",
        "POST /Patient",
        "GET /Patient/two",
        "DELETE /Patient/two",
    ]


def test_an_operation_that_does_not_say_which_server_is_an_error(
    server: str, other: str, tmp_path: Path
) -> None:
    read = operation("read", resource="Patient", params="/1")

    run = run_on_two(tmp_path, (server, other), script([read], destination=TWO))

    assert outcomes(run) == ["error"]
    assert "which of the 2 destinations" in messages(run)[0]


@pytest.mark.parametrize("said", [{}, {"destination": 3}])
def test_the_only_destination_is_the_target_whatever_its_number(
    server: str, run_script: RunScript, said: dict[str, Any]
) -> None:
    read = operation("read", resource="Patient", params="/1", **said)
    only = [{"index": 3, "profile": PROFILE}]

    run = run_script(server, script([read, asserts(response="notFound")], destination=only))

    assert outcomes(run) == ["pass"], messages(run)
