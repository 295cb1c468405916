"""FHIR servers of others under the suites: each differs by name, and in nothing else.

The reports are kept in test-results/conformance/, beside what pytest itself reports.
"""

from __future__ import annotations

import pytest

from tests.peers import conformance
from tests.peers.starting import HAPI_MARKS


@pytest.mark.parametrize(
    "peer",
    ["medplum", "node-fhir-server", pytest.param("hapi-jpa", marks=HAPI_MARKS)],
)
def test_a_server_differs_in_what_is_explained(peer: str, request: pytest.FixtureRequest) -> None:
    started = request.getfixturevalue("hapi_jpa") if peer == "hapi-jpa" else ""
    found = conformance.run(peer, conformance.REPORTS / peer, started)
    assert [s for one in found.values() for s in conformance.surprises(peer, one)] == []
    assert conformance.section(peer, found) in conformance.PAGE.read_text()
    for label, one in found.items():
        assert (conformance.REPORTS / peer / label / "report.html").stat().st_size > 10_000
        assert one.ok or conformance.differences(one)
        assert one.counts()["pass"] > 20


def test_the_quirky_server_fails_by_name() -> None:
    known = conformance.expected("node-fhir-server").because
    assert {"create-answers/gives-what-is-preferred", "errors/malformed"} <= set(known)


def test_every_server_is_on_the_page() -> None:
    page = conformance.PAGE.read_text()
    assert [p for p in conformance.PEERS if f"## {conformance.expected(p).title}" not in page] == []
    assert "not explained**" not in page
