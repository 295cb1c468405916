"""`conformance run`, `list`, `lint`, `explain` and `compare`."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from fhir_gateway import shipped
from tests.cli.conftest import Run
from tests.conformance.recorder import Recorder
from tests.conformance.writing import asserts, operation, script
from tests.serving import serve

REQUIREMENT = {
    "url": "https://w3id.org/fhir-gateway/StructureDefinition/testscript-requirement",
    "extension": [
        {"url": "specification", "valueString": "FHIR"},
        {"url": "section", "valueString": "read"},
        {"url": "link", "valueUri": "https://hl7.org/fhir/R4/http.html#read"},
        {"url": "strength", "valueCode": "SHALL"},
    ],
}
READ = operation("read", resource="Patient", params="/unknown")
GOOD = [READ, asserts(response="notFound")]
BAD = [READ, asserts(response="okay")]


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A suite of one test that passes and one that fails."""
    folder = tmp_path / "suite"
    folder.mkdir()
    write(folder, GOOD, BAD)
    return folder


def write(folder: Path, *tests: list[Any], **more: Any) -> Path:
    file = folder / "script.json"
    file.write_text(json.dumps(script(*tests, extension=[REQUIREMENT], **more)))
    return file


def test_a_run_writes_its_reports_and_fails_when_a_test_does(
    run: Run, epr: str, suite: Path, tmp_path: Path
) -> None:
    done = run("conformance", "run", suite, "--target", epr, "--out", tmp_path / "out")

    assert done.exit_code == 1
    assert "1 pass, 1 fail" in done.stdout
    assert "FAIL    suite/script/t2\n         the status must be '200': it is '404'" in done.stderr
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "TestReport-suite-script.json",
        "junit.xml",
        "network.har",
        "report.html",
        "results.json",
    ]
    ElementTree.parse(tmp_path / "out" / "junit.xml")


def test_a_run_in_which_all_passes_ends_with_0(run: Run, epr: str, suite: Path) -> None:
    write(suite, GOOD)

    assert run("conformance", "run", suite, "--target", epr).exit_code == 0


def test_a_run_in_which_nothing_could_be_tested_is_no_success(
    run: Run, epr: str, suite: Path
) -> None:
    write(suite, [operation("frobnicate")])

    done = run("conformance", "run", suite, "--target", epr)

    assert done.exit_code == 1
    assert "Nothing was tested" in done.stdout


def test_a_script_reads_the_results(run: Run, epr: str, suite: Path) -> None:
    done = run("conformance", "run", suite / "script.json", "--target", epr, "--json")

    results = json.loads(done.stdout)
    assert results["counts"]["pass"] == results["counts"]["fail"] == 1
    assert results["scripts"][0]["tests"][1]["message"] == "the status must be '200': it is '404'"


def test_only_what_failed_runs_again(run: Run, epr: str, suite: Path, tmp_path: Path) -> None:
    run("conformance", "run", suite, "--target", epr, "--out", tmp_path / "one")
    write(suite, GOOD, GOOD)

    again = run(
        "conformance", "run", suite, "--target", epr, "--failed", tmp_path / "one",
        "--out", tmp_path / "two",
    )  # fmt: skip

    assert again.exit_code == 0
    assert "1 pass\n" in again.stdout
    assert "suite/script/t1" not in again.stderr
    nothing = run("conformance", "run", suite, "--target", epr, "--failed", tmp_path / "two")
    assert nothing.exit_code == 2
    assert "Nothing failed" in nothing.stderr


def test_two_runs_are_compared(
    run: Run, run_json: Callable[..., Any], epr: str, suite: Path, tmp_path: Path
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    run("conformance", "run", suite, "--target", epr, "--out", before)
    write(suite, BAD, GOOD)
    run("conformance", "run", suite, "--target", epr, "--out", after)

    done = run("conformance", "compare", before, after)

    assert done.exit_code == 1
    first = [word for word in done.stdout.splitlines()[2].split() if word != "│"]
    assert first == ["broken", "suite/script/t1", "pass", "fail"]
    assert run_json("conformance", "compare", before, before) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere", "--target", "http://a.example"), "no shipped suite"),
        (("{suite}", "--target", "ftp://a.example"), "--target must be"),
        (("{suite}", "--target", "http://user:pw@a.example"), "--target must be"),
        (("{suite}", "--target", "http://a.example/?x=1"), "--target must be"),
        (("{suite}", "--target", "http://[::1"), "--target must be"),
        (("{suite}", "--target", "http://a.example", "--format", "ttl"), "json or xml"),
        (("{suite}", "--target", "http://a.example", "--variable", "x"), "name=value"),
        (("{suite}", "--target", "http://a.example", "--destination", "x=1"), "2=URL"),
        (("{suite}", "--target", "http://a.example", "--only", "nothing"), "No test"),
        (("{suite}", "--target", "http://a.example", "--failed", "nowhere"), "cannot be read"),
        (("{suite}", "--target", "http://a.example", "--profiles", "."), "no StructureDefinition"),
        (("{suite}", "--target", "http://a.example", "--ca", "no.pem"), "cannot be used"),
        (("{suite}",), "--target"),
    ],
)
def test_what_cannot_be_used_ends_with_2_and_says_why(
    run: Run, suite: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run("conformance", "run", *(one.format(suite=suite) for one in arguments))

    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())


def test_a_file_that_is_no_script_is_an_error_of_the_run(run: Run, epr: str, suite: Path) -> None:
    write(suite, GOOD)
    (suite / "broken.json").write_text('{"resourceType": ')

    done = run("conformance", "run", suite, "--target", epr)

    assert done.exit_code == 1
    assert "1 pass, 1 error" in done.stdout


def test_what_goes_wrong_beside_the_tests_is_said(run: Run, epr: str, suite: Path) -> None:
    write(
        suite,
        GOOD,
        setup={"action": [READ, asserts(response="okay", stopTestOnFail=False)]},
    )
    (suite / "broken.json").write_text("{")

    done = run("conformance", "run", suite, "--target", epr)

    assert done.exit_code == 1
    assert "ERROR suite/broken: " in done.stdout
    assert "FAIL suite/script: the status must be '200': it is '404'" in done.stdout


def test_a_run_that_is_stopped_writes_what_it_has(run: Run, suite: Path, tmp_path: Path) -> None:
    recorder = Recorder(before=lambda: os.kill(os.getpid(), signal.SIGINT))
    write(suite, [READ, asserts(response="notFound")], BAD)
    out = tmp_path / "out"

    with serve(recorder.app) as server:
        done = run("conformance", "run", suite, "--target", server, "--out", out, "--json")

    assert "Press Ctrl-C again" in done.stderr
    assert [t["message"] for t in json.loads(done.stdout)["scripts"][0]["tests"]] == [
        "",
        "not run: the run was stopped",
    ]
    assert (out / "report.html").is_file()


def test_each_shipped_suite_is_listed(run_json: Callable[..., Any]) -> None:
    listed = [suite["name"] for suite in run_json("conformance", "list")]

    folders = {file.parent.name for file in shipped.folder("conformance").glob("*/suite.json")}
    assert set(listed) == folders


def test_a_test_is_explained(run: Run, suite: Path) -> None:
    done = run("conformance", "explain", "script/t1", "--suite", suite)

    assert done.exit_code == 0
    assert done.stdout.splitlines()[:5] == [
        "suite/script/t1",
        "  Test 1",
        "  Requirement: FHIR read https://hl7.org/fhir/R4/http.html#read SHALL",
        "  1. GET [base]/Patient/unknown",
        "  2. the status must be 404 (notFound)",
    ]
    assert run("conformance", "explain", "nothing", "--suite", suite).exit_code == 2


def test_lint_says_what_is_wrong_and_where(run: Run, suite: Path) -> None:
    file = write(suite, [READ, asserts(expression="Patient.((")])

    done = run("conformance", "lint", file)

    assert done.exit_code == 1
    assert f"{file}: error: test[0].action[1].assert: FHIRPath" in done.stdout


def test_lint_is_content_with_a_good_script(run: Run, suite: Path) -> None:
    file = write(suite, GOOD)

    done = run("conformance", "lint", file, "--strict")

    assert (done.exit_code, done.stdout) == (0, "Nothing found.\n")
