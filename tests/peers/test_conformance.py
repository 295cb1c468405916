"""FHIR servers of others under the suites: each differs by name, and in nothing else.

The reports are kept in test-results/conformance/, beside what pytest itself reports.
"""

from __future__ import annotations

import os

import pytest

from tests.peers import conformance
from tests.requirements import require

WITH_HAPI = "FHIR_GATEWAY_HAPI"


@pytest.mark.parametrize(
    "peer",
    ["medplum", "node-fhir-server", pytest.param("hapi-jpa", marks=pytest.mark.java)],
)
def test_a_server_differs_in_what_is_explained(peer: str) -> None:
    if peer == "hapi-jpa" and os.environ.get(WITH_HAPI) != "1":
        require("hapi", f"set {WITH_HAPI}=1 to run HAPI FHIR JPA (Java, 390 MB, half a minute)")
    found = conformance.run(peer, conformance.REPORTS / peer)
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
