from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from fhir_gateway.conformance import fixtures, suites
from fhir_gateway.conformance.errors import NotSupported, ScriptError
from fhir_gateway.conformance.script import Script, read_script
from tests.conformance.writing import script


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with one shipped suite `one`."""
    root = tmp_path / "home" / "one"
    (root / "fixtures").mkdir(parents=True)
    (root / "more").mkdir()
    manifest = {"name": "one", "title": "The first", "variables": [{"name": "id"}]}
    (root / "suite.json").write_text(json.dumps(manifest))
    (root / "b.json").write_text(json.dumps(script(id="b")))
    (root / "more" / "a.json").write_text(json.dumps(script(id="a")))
    (root / "fixtures" / "c.json").write_text(json.dumps(script(id="c")))
    (root / "fixtures" / "Patient-example.json").write_text('{"resourceType":"Patient"}')
    (root / "data.json").write_text('{"resourceType":"Patient"}')
    return tmp_path / "home"


def test_a_suite_has_its_scripts_and_not_its_fixtures(home: Path) -> None:
    [suite] = suites.shipped(home)

    assert (suite.name, suite.title) == ("one", "The first")
    assert [one.name for one in suite.scripts] == ["b", "a"]
    assert suite.inputs == ({"name": "id"},)
    assert suite.problems == ()


def test_suites_are_found_by_name_folder_and_file(home: Path) -> None:
    names = ["one", str(home / "one"), str(home / "one" / "b.json")]

    assert [len(suite.scripts) for suite in suites.find(names, home)] == [2, 2, 1]


def test_an_unknown_suite_names_those_that_are_shipped(home: Path) -> None:
    with pytest.raises(ScriptError, match="Shipped: one"):
        suites.find(["two"], home)


def test_a_broken_file_is_a_problem_and_not_lost(home: Path) -> None:
    (home / "one" / "broken.xml").write_text("<TestScript")

    [suite] = suites.shipped(home)

    assert [file.name for file, _ in suite.problems] == ["broken.xml"]


def test_an_empty_folder_is_no_suite(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="no TestScript"):
        suites.read_suite(tmp_path)


def read(home: Path) -> Script:
    return read_script(home / "one" / "more" / "a.json", root=home / "one", suite="one")


@pytest.mark.parametrize(
    "reference",
    ["fixtures/Patient-example.json", "Patient/example", "../data.json", "data.json"],
)
def test_a_fixture_is_found_from_the_script_and_from_the_suite(home: Path, reference: str) -> None:
    found = fixtures.raw(read(home), {"id": "p", "resource": {"reference": reference}})

    assert found.resource == {"resourceType": "Patient"}


def test_a_published_example_is_found_by_what_it_holds(home: Path) -> None:
    content = '{"resourceType":"Patient","id":"f001"}'
    (home / "one" / "more" / "patient-example-f001-pieter.json").write_text(content)

    found = fixtures.raw(read(home), {"id": "p", "resource": {"reference": "Patient/f001"}})

    assert found.resource == {"resourceType": "Patient", "id": "f001"}
    with pytest.raises(ScriptError, match="not there"):
        fixtures.raw(read(home), {"id": "p", "resource": {"reference": "Group/f001"}})


def test_nothing_outside_the_suite_is_read(home: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"resourceType":"Patient"}')
    os.symlink(tmp_path / "secret.json", home / "one" / "link.json")

    for reference in ("../../../secret.json", "link.json", str(tmp_path / "secret.json"), "a\0b"):
        with pytest.raises(ScriptError):
            fixtures.raw(read(home), {"id": "p", "resource": {"reference": reference}})


@pytest.mark.parametrize("reference", ["https://a.example/Patient/1", "urn:uuid:1"])
def test_nothing_is_fetched(home: Path, reference: str) -> None:
    with pytest.raises(NotSupported, match="fetched"):
        fixtures.raw(read(home), {"id": "p", "resource": {"reference": reference}})


def test_a_script_may_be_xml(tmp_path: Path) -> None:
    file = tmp_path / "script.xml"
    file.write_text(
        '<?xml version="1.0"?><TestScript xmlns="http://hl7.org/fhir"><id value="x"/>'
        '<test id="t1"><action><assert><response value="okay"/><warningOnly value="false"/>'
        "</assert></action></test></TestScript>"
    )

    found = read_script(file)

    assert found.key(0).endswith("/x/t1")
    assert found.tests[0]["action"][0]["assert"] == {"response": "okay", "warningOnly": False}


def test_what_a_script_sends_is_no_broken_script(tmp_path: Path) -> None:
    sent = [
        {"id": name, "resource": {"reference": name}}
        for name in ("patch.json", "broken.json", "../outside.json", "https://a.example/b.json")
    ]
    (tmp_path / "script.json").write_text(
        json.dumps({"resourceType": "TestScript", "id": "s", "fixture": sent})
    )
    (tmp_path / "patch.json").write_text("[]")
    (tmp_path / "broken.json").write_text('{"resourceType":')
    (tmp_path / "stray.json").write_text("{")

    suite = suites.read_suite(tmp_path)

    assert [file.name for file, _ in suite.problems] == ["stray.json"]


@pytest.mark.parametrize("reference", ["a" * 300, "Patient/" + "b" * 300, "é" * 150])
def test_a_reference_that_no_file_can_have_is_an_error_of_the_script(
    tmp_path: Path, reference: str
) -> None:
    fixture = {"id": "f", "resource": {"reference": reference}}
    (tmp_path / "script.json").write_text(
        json.dumps({"resourceType": "TestScript", "id": "s", "fixture": [fixture]})
    )

    [one] = suites.read_suite(tmp_path).scripts

    with pytest.raises(ScriptError, match="is not there"):
        fixtures.locate(one, reference)
