"""The suite epr-inbound notices every fault of the sandbox EPR, and says nothing of a right one.

This is the short form: of each fault only the scripts are run that the table in the docs names. The
whole is `python -m tests.conformance.mutation`, which writes that table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from fhir_gateway.conformance.results import Outcome
from fhir_gateway.sandbox.epr.injected.catalogue import FAULTS
from tests.conformance import mutation
from tests.conformance.mutation import Bench

_ROW = re.compile(r"\| `([a-z0-9-]+)` \| (.+?) \| (.*) \|")
ROWS = {
    row[1]: (row[2], re.findall(r"`([^`]+)`", row[3]))
    for row in _ROW.finditer(mutation.TABLE.read_text())
}


@pytest.fixture(scope="module")
def there() -> Iterator[Bench]:
    with mutation.bench() as made:
        yield made


def test_an_epr_without_faults_passes_every_test(there: Bench) -> None:
    run = there.run()
    assert [(t.key, t.message) for t in run.tests() if t.outcome is not Outcome.PASS] == []
    assert run.ok
    # Each test is one that some fault makes fail, by the table.
    assert mutation.never_failed(run, {name: names for name, (_, names) in ROWS.items()}) == []
    assert f"Tests of the suite: {len(list(run.tests()))}." in mutation.TABLE.read_text()


def test_the_table_has_every_fault_and_no_other() -> None:
    assert {name: sentence for name, (sentence, _) in ROWS.items()} == {
        name: known.sentence for name, known in FAULTS.items()
    }
    assert "Survivors: none." in mutation.TABLE.read_text()


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_fails_the_tests_that_the_table_names(there: Bench, name: str) -> None:
    _, expected = ROWS[name]
    assert expected
    scripts = sorted({test.partition("/")[0] for test in expected})
    assert mutation.noticed(there.run(name, only=scripts)) == expected


def test_a_fault_that_nothing_notices_is_told_of() -> None:
    page = mutation.table({"missing-etag": [], "claims-xml": ["discovery/x"]}, tests=3)
    assert "Survivors: missing-etag." in page
    assert "Faults: 2. Tests of the suite: 3." in page


def test_every_test_passes_alone_too(there: Bench) -> None:
    """As `--only TEST` and `--failed` run them."""
    alone = {}
    for test in there.run().tests():
        (result,) = there.run(only=[test.key]).tests()
        alone[result.key] = (result.outcome, result.message)
    assert {key: end for key, end in alone.items() if end[0] is not Outcome.PASS} == {}
