"""The texts that were sent: a SQLite file, or memory, shared by all threads."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_COLUMNS = "id, number, text, reference, template_id, sent_at"


@dataclass(frozen=True, slots=True)
class Message:
    """One text. `number` is E.164; `sent_at` ISO in UTC."""

    id: str
    number: str
    text: str
    reference: str | None
    template_id: str
    sent_at: str


class Messages:
    """All texts, oldest first."""

    def __init__(self, storage: Path | None = None) -> None:
        if storage is not None:
            storage.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            storage or ":memory:", check_same_thread=False, isolation_level=None
        )
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS message (position INTEGER PRIMARY KEY, id TEXT UNIQUE, "
            "number TEXT, text TEXT, reference TEXT, template_id TEXT, sent_at TEXT)"
        )

    def add(self, number: str, text: str, reference: str | None, template_id: str) -> Message:
        """Keep a text that is sent now."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        message = Message(str(uuid.uuid4()), number, text, reference, template_id, now)
        with self._lock:
            self._connection.execute(
                f"INSERT INTO message ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608
                (message.id, number, text, reference, template_id, now),
            )
        return message

    def all(self) -> list[Message]:
        """Every text."""
        return self._select("1 = 1", ())

    def to(self, number: str) -> list[Message]:
        """The texts to a number (E.164)."""
        return self._select("number = ?", (number,))

    def with_reference(self, reference: str) -> list[Message]:
        """The texts with a reference."""
        return self._select("reference = ?", (reference,))

    def find(self, message_id: str) -> Message | None:
        """A text by its id."""
        return next(iter(self._select("id = ?", (message_id,))), None)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _select(self, condition: str, values: tuple[str, ...]) -> list[Message]:
        with self._lock:
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM message WHERE {condition} ORDER BY position",  # noqa: S608
                values,
            ).fetchall()
        return [Message(*row) for row in rows]
