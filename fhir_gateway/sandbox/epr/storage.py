"""Every version of every resource, in one SQLite database: a file, or memory.

All work happens in sessions, each one transaction: it is kept whole or not at all. A session takes
the database's write lock at its start, so that what it has looked up stays true until it ends;
conditional creates rest on that.
"""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from fhir_gateway.errors import Refused
from fhir_gateway.sandbox.epr.session import Session

_BUSY_SECONDS = 15.0
_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE version (
  sequence INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL,
  at TEXT NOT NULL, method TEXT NOT NULL, body BLOB, UNIQUE (type, id, number)
);
CREATE TABLE live (
  type TEXT NOT NULL, id TEXT NOT NULL, sequence INTEGER NOT NULL, first INTEGER NOT NULL,
  PRIMARY KEY (type, id)
) WITHOUT ROWID;
CREATE INDEX live_by_age ON live (type, first);
CREATE TABLE search_value (
  type TEXT NOT NULL, id TEXT NOT NULL, parameter TEXT NOT NULL,
  system TEXT NOT NULL, value TEXT NOT NULL, low TEXT NOT NULL, high TEXT NOT NULL
);
CREATE INDEX search_value_of ON search_value (type, id, parameter);
CREATE INDEX search_value_by_text ON search_value (type, parameter, value, system);
CREATE INDEX search_value_by_time ON search_value (type, parameter, low);
CREATE TABLE link (
  type TEXT NOT NULL, id TEXT NOT NULL, to_type TEXT NOT NULL, to_id TEXT NOT NULL,
  PRIMARY KEY (type, id, to_type, to_id)
) WITHOUT ROWID;
CREATE INDEX link_to ON link (to_type, to_id);
"""


class Storage:
    """The database. One connection, one session at a time: enough for a sandbox, and simple."""

    def __init__(self, path: Path | None, *, clock: Callable[[], datetime] | None = None) -> None:
        """Open or make the database at `path`; None keeps it in memory.

        Raises Refused for a file that is something else, or of another version of this sandbox.
        """
        self._lock = threading.Lock()
        self._clock = clock or (lambda: datetime.now(UTC))
        try:
            self._connection = sqlite3.connect(
                path or ":memory:",
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            self._close = weakref.finalize(self, self._connection.close)
            self._connection.execute("PRAGMA journal_mode = WAL")
            with self.session() as session:
                _make_tables(self._connection, session)
        except sqlite3.DatabaseError as error:
            raise Refused(
                f"The EPR's storage cannot be opened: {error}", code="storage-refused"
            ) from None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction: committed at the end, rolled back when anything is raised."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield Session(self._connection, self._clock)
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite ends a transaction by itself after some errors, such as a full disk.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Give the file back; nothing works afterwards."""
        self._close()


def _make_tables(connection: sqlite3.Connection, session: Session) -> None:
    (found,) = session.select("PRAGMA user_version")[0]
    if found == _SCHEMA_VERSION:
        return
    if found or session.select("SELECT 1 FROM sqlite_master"):
        raise Refused(
            "The EPR's storage is of another version of the sandbox, or not the sandbox's.",
            code="storage-refused",
        )
    for statement in _SCHEMA.split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
