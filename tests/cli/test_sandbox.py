"""`sandbox faults`, and what `sandbox epr` says no to before it starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typer.testing import Result

from fhir_gateway.sandbox.epr.injected.catalogue import FAULTS
from tests.ports import kept_port

Run = Callable[..., Result]


def test_faults_are_listed_with_what_they_do(run: Run) -> None:
    found = run("sandbox", "faults")
    assert found.exit_code == 0
    for name, known in FAULTS.items():
        assert name in found.output
        assert known.sentence in found.output


def test_faults_are_listed_for_scripts(run_json: Callable[..., Any]) -> None:
    listed = run_json("sandbox", "faults")
    assert [one["name"] for one in listed] == list(FAULTS)


def test_an_unknown_fault_is_told_before_anything_starts(run: Run) -> None:
    found = run("sandbox", "epr", "--port", kept_port(), "--fault", "eats-lunch")
    assert found.exit_code == 1
    assert "There is no fault 'eats-lunch'" in found.output
    assert "FHIR at" not in found.output


def test_a_client_needs_the_address_of_its_keys(run: Run) -> None:
    found = run("sandbox", "epr", "--port", kept_port(), "--client", "gateway")
    assert found.exit_code == 2
    assert "CLIENT-ID=JWKS-URL" in found.output
