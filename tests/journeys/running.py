"""A demo as a process of its own: started, waited for, killed and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.ports import kept_port

_START_SECONDS = 90.0


class RunningDemo:
    """`fhir-gateway demo` on free ports. Used as a context manager."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.addresses: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        # The demo takes this port and the three after it, and the same when it starts again.
        self._port = kept_port(room=4)

    def __enter__(self) -> RunningDemo:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start and wait until demo.json says that everything answers."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "fhir_gateway", "demo"]
        command += ["--port", str(self._port), "--data-dir", str(self.data_dir)]
        log = (self.data_dir / "demo.log").open("ab")
        self._process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "PYTHONDEVMODE": ""}
        )
        log.close()
        file = self.data_dir / "demo.json"
        deadline = time.monotonic() + _START_SECONDS
        while not file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the demo did not start:\n{self.log()[-4000:]}")
            time.sleep(0.05)
        self.addresses = json.loads(file.read_text())

    def stop(self, *, kill: bool = False) -> None:
        """Stop in order, or with kill -9."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGKILL if kill else signal.SIGINT)
        self._process.wait(timeout=30)
        self._process = None
        (self.data_dir / "demo.json").unlink(missing_ok=True)

    def restart(self, *, kill: bool = False) -> None:
        """Stop and start again on the same data and ports."""
        self.stop(kill=kill)
        self.start()

    def log(self) -> str:
        """What the process printed."""
        return (self.data_dir / "demo.log").read_text(errors="replace")
