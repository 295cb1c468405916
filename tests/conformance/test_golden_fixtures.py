"""What the suite epr-inbound sends is what the mappings make."""

from __future__ import annotations

import re

import pytest

from fhir_gateway.conformance import suites
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.check import problems
from fhir_gateway.shipped import folder
from tests.conformance.golden_fixtures import FIXTURES, HOME

#: Those that are meant not to be valid.
BROKEN = {"ServiceRequest-invalid.json", "transaction-broken.json"}


@pytest.mark.parametrize("name", FIXTURES)
def test_a_fixture_is_the_golden_example_of_its_mapping(name: str) -> None:
    assert (HOME / name).read_text() == FIXTURES[name].made(), (
        "run: python -m tests.conformance.golden_fixtures"
    )


def test_there_is_no_other_fixture() -> None:
    assert {file.name for file in HOME.iterdir()} == {*FIXTURES, "malformed.txt"}


@pytest.mark.parametrize("name", sorted({*FIXTURES} - BROKEN))
def test_a_fixture_is_valid_once_its_variables_are_filled(name: str) -> None:
    text = re.sub(r"\$\{(\w+)\}", r"Patient/\1", (HOME / name).read_text())
    text = re.sub(r'"id": "Patient/(\w+)"', r'"id": "\1"', text)
    resource = fhir_json.parse(text.encode())
    assert [p for p in problems(resource) if p["severity"] in ("error", "fatal")] == []


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_fixture_that_must_be_refused_is_not_valid(name: str) -> None:
    text = re.sub(r"\$\{(\w+)\}", r"Patient/\1", (HOME / name).read_text())
    assert any(p["severity"] == "error" for p in problems(fhir_json.parse(text.encode())))


def test_everybody_in_the_suites_is_made_up() -> None:
    for file in sorted(folder("conformance").rglob("*.json")):
        text = file.read_text()
        numbers = set(re.findall(r"(?<![\d\-a-f])\d{10}(?![\d\-a-f])", text))
        assert not {n for n in numbers if not n.startswith(("999", "900"))}, file
        phones = re.findall(r"07\d{3} ?\d{6}", text)
        assert all(p.replace(" ", "").startswith("07700900") for p in phones), file


@pytest.mark.parametrize("suite", suites.shipped(folder("conformance")), ids=lambda s: s.name)
def test_every_script_of_a_suite_is_valid_and_says_what_it_checks(suite: suites.Suite) -> None:
    assert suite.problems == ()
    keys = [script.key(i) for script in suite.scripts for i in range(len(script.tests))]
    assert len(keys) == len(set(keys))
    for script in suite.scripts:
        assert list(problems(script.resource)) == [], script.name
        for test in script.tests:
            requirements = script.requirements(test)
            assert requirements, f"{script.name}/{test['id']} names no requirement"
            for one in requirements:
                assert one.link.startswith("https://"), f"{script.name}/{test['id']}"
                assert one.strength in ("SHALL", "SHOULD", "MAY")
                assert one.specification
                assert one.text
            assert any("assert" in action for action in test["action"])
