"""Peers that take long to start, once per test process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers.starting import running


@pytest.fixture(scope="session")
def hapi_jpa() -> Iterator[str]:
    """The base of HAPI FHIR JPA. Mark tests that use it with HAPI_MARKS."""
    with running("hapi-jpa", "hapi") as base:
        yield base
