"""Opening the database: SQLite by default, PostgreSQL by URL; and bringing its tables up to date.

SQLite runs with WAL and full synchronisation, and every transaction takes the write lock at its
start, so that two never deadlock by upgrading a read. Nothing may talk to the network inside a
transaction.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session, sessionmaker

from fhir_gateway.errors import Refused
from fhir_gateway.store.seal import Sealer

_SCHEMES = ("sqlite:", "postgresql:", "postgres:", "postgresql+psycopg:")
BUSY_TIMEOUT_MS = 30_000
#: Any number will do, as long as no other user of the same PostgreSQL takes it.
_MIGRATION_LOCK = 7_403_190_001


class DatabaseRefused(Refused):
    """The URL is of no database that this gateway runs on."""

    def __init__(self) -> None:
        # Without the URL: it can hold a password.
        super().__init__(
            "The database could not be used: database_url must begin with postgresql:// or "
            "sqlite:///.",
            code="database-refused",
        )


@dataclass(frozen=True, slots=True)
class Transaction:
    """One open transaction: what every repository function is given."""

    session: Session
    sealer: Sealer


class Database:
    """Transactions on one database.

    `url`: a SQLAlchemy URL such as `sqlite:////var/lib/gateway/gateway.db` or
    `postgresql+psycopg://user@host/name`.
    """

    def __init__(self, url: str, sealer: Sealer) -> None:
        self.url = url
        self.sealer = sealer
        self.is_sqlite = url.startswith("sqlite")
        self.engine = create_store_engine(url)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """One transaction: committed at the end of the block, rolled back by an exception.

        Repositories never commit; whoever opens this block owns the transaction.
        """
        with self._sessions() as session, session.begin():
            yield Transaction(session, self.sealer)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """One transaction that only reads: on SQLite it does not wait for writers, nor they for
        it."""
        with (
            self.engine.connect().execution_options(only_reads=True) as connection,
            self._sessions(bind=connection) as session,
            session.begin(),
        ):
            yield Transaction(session, self.sealer)

    def migrate(self) -> None:
        """Bring the tables up to date; safe when several processes start at once."""
        with self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_lock({_MIGRATION_LOCK})"))
                connection.commit()
            try:
                _upgrade(connection)
            finally:
                if not self.is_sqlite:
                    connection.execute(text(f"SELECT pg_advisory_unlock({_MIGRATION_LOCK})"))
                    connection.commit()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _write_ahead(cursor: Any) -> None:
    """Turn on WAL. While another process does so too, SQLite says `locked` at once, whatever the
    busy timeout (https://sqlite.org/wal.html#sometimes_queries_return_sqlite_busy_in_wal_mode)."""
    ends = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.05)
        else:
            return


def create_store_engine(url: str) -> Engine:
    """An engine with the settings this gateway needs; PostgreSQL URLs use the psycopg driver.

    Raises DatabaseRefused for any other database.
    """
    if not url.startswith(_SCHEMES):
        raise DatabaseRefused
    if not url.startswith("sqlite"):
        return create_engine(_with_driver(url), pool_size=10, max_overflow=20, pool_pre_ping=True)
    engine = create_engine(url)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # SQLAlchemy begins transactions itself (below), not the driver.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        _write_ahead(cursor)
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        only_reads = connection.get_execution_options().get("only_reads")
        connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")

    return engine


def _with_driver(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in ("postgres", "postgresql") else url


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
