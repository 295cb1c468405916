"""Opening the database: SQLite by default, PostgreSQL by URL; and bringing its tables up to date.

SQLite runs with WAL and full synchronisation (less where what is lost is made again), and every
transaction takes the write lock at its start, so that two never deadlock by upgrading a read; those
that only read say so. Nothing may talk to the network inside a transaction.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
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
_READING, _REDONE = "fhir_gateway_reading", "fhir_gateway_redone"
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
        self._readers, self._relaxed = (
            sessionmaker(self.engine.execution_options(**{kind: True}), expire_on_commit=False)
            for kind in (_READING, _REDONE)
        )
        # Whoever finds SQLite locked sleeps and tries again, longer and longer; threads of one
        # process need not: they stand in line here.
        self._turn = threading.Lock() if self.is_sqlite else nullcontext()

    @contextmanager
    def transaction(self, *, redone: bool = False) -> Iterator[Transaction]:
        """One transaction: committed at the end of the block, rolled back by an exception.

        Repositories never commit; whoever opens this block owns the transaction.

        `redone`: what it writes is made again when it is lost, so SQLite need not wait for the
        disk. It can be lost when the machine loses its power, never when a process dies, and never
        without everything that was committed after it
        (https://sqlite.org/pragma.html#pragma_synchronous). Never for what was accepted, nor for
        what is announced before it leaves.
        """
        sessions = self._relaxed if redone else self._sessions
        with self._turn, sessions() as session, session.begin():
            yield Transaction(session, self.sealer)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A transaction that only reads, one state of the database throughout. On SQLite nobody
        waits for it, and it waits for nobody; a write in it may fail."""
        with self._readers() as session, session.begin():
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
        options = connection.get_execution_options()
        cursor = connection.connection.cursor()
        cursor.execute(f"PRAGMA synchronous={'NORMAL' if options.get(_REDONE) else 'FULL'}")
        cursor.execute("BEGIN" if options.get(_READING) else "BEGIN IMMEDIATE")
        cursor.close()

    return engine


def _with_driver(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in ("postgres", "postgresql") else url


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
