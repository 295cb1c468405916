"""A fixture `either`: each test that asks for it runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_gateway.store.database import Database
from tests.databases import KINDS, fresh_database, migrated


@pytest.fixture(params=KINDS)
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A fresh database with its tables."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'test.db'}"
    else:
        url = fresh_database(request.getfixturevalue("postgresql"))
    made = migrated(url)
    yield made
    made.close()
