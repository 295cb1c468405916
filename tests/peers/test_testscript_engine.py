"""TestScripts and a server that nobody here wrote: our verdicts are those of the engine that comes
with them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_gateway.conformance import runs
from fhir_gateway.conformance.http import Caller
from fhir_gateway.conformance.results import BAD
from fhir_gateway.conformance.suites import read_suite
from tests.peers.starting import PEER, missing
from tests.requirements import require

WITH_SEKMET = "FHIR_GATEWAY_SEKMET"


@pytest.fixture(scope="module")
def sekmet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The peer's address, its TestScripts, and its own verdicts. It takes two minutes to make
    them, so it is asked for by name."""
    if os.environ.get(WITH_SEKMET) != "1":
        require("sekmet", f"set {WITH_SEKMET}=1 to run SEKMET's TestScripts (two minutes)")
    reason = missing("sekmet")
    if reason:
        require("sekmet", reason)
    command = [PEER, "sekmet", str(tmp_path_factory.mktemp("sekmet"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(timeout=20)


def verdicts(folder: Path) -> dict[str, str]:
    """The result of each TestReport, by the script it is of."""
    reports = [json.loads(file.read_bytes()) for file in folder.glob("TestReport-*.json")]
    return {report["testScript"]["reference"]: report["result"] for report in reports}


@pytest.mark.timeout(600)
def test_our_verdicts_are_those_of_another_engine(sekmet: dict[str, Any]) -> None:
    suite = read_suite(Path(sekmet["scripts"]))
    # The scripts are recorded with this address as their default for ${baseUrl}.
    with Caller(sekmet["address"]) as caller:
        run = runs.run(runs.Plan([suite], variables={"baseUrl": sekmet["address"]}), {1: caller})

    ours = {one.url: "fail" if one.outcome in BAD else "pass" for one in run.scripts}
    assert len(ours) >= 10
    assert ours == verdicts(Path(sekmet["verdicts"]))
    said = [step.message for test in run.tests() for step in test.steps]
    assert [text for text in said if "the engine could not" in text] == []
