"""What other validators and renderers decided on published cases, where these are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.validator_agreement import judge
from tests.requirements import require

DATA = os.environ.get("FHIR_GATEWAY_REFERENCE_DATA")


@pytest.mark.parametrize("suite", ["android-fhir", "fhir-test-cases", "hapi-r4-qrvalidator"])
def test_cases_that_everybody_agrees_on_come_out_the_same_here(suite: str) -> None:
    index = Path(DATA or "") / "sdc" / suite / "index.json"
    if not DATA or not index.is_file():
        require(
            "reference-data",
            "set FHIR_GATEWAY_REFERENCE_DATA to a folder with `sdc` in it: cases for validators",
        )
    results = list(judge(index))
    assert len(results) > 10
    assert [(r.id, r.expected, r.found) for r in results if r.agreed and r.differs] == []
