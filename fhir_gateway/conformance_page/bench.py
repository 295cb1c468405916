"""Runs that the page started: one at a time, in a thread, with all they give in files.

Each run has a folder under the gateway's data folder: `run.json` says how far it is, `reports/`
holds what it gave. The newest few are kept.
"""

from __future__ import annotations

import io
import re
import secrets
import shutil
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from fhir_gateway.auth.bearer import FixedBearer
from fhir_gateway.conformance import report_folder, runs, suites
from fhir_gateway.conformance.http import Caller
from fhir_gateway.conformance.results import TestResult
from fhir_gateway.conformance.suites import Suite
from fhir_gateway.conformance_page.asked import Asked
from fhir_gateway.errors import Refused
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.profiles import Profiles

KEPT = 20
#: Seconds without a sign after which a run is taken for ended, such as by a restart.
SILENT = 600
_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `state`: running, done, or broken (it ended without reports)."""

    run: str
    suite: str
    target: str
    started: str
    state: str = "running"
    done: int = 0
    total: int = 0
    last: str = ""
    counts: dict[str, int] | None = None


class Bench:
    """Starts runs and shows them. `home`: the folder of shipped suites. `profiles`: reads those of
    a suite's folder."""

    def __init__(self, home: Path, folder: Path, profiles: Callable[[Path], Profiles]) -> None:
        self.home = home
        self._folder = folder
        self._profiles = profiles
        self._busy = threading.Lock()

    def suites(self) -> list[Suite]:
        """The suites to choose from."""
        return suites.shipped(self.home)

    def start(self, asked: Asked) -> str:
        """Start a run; its id. Raises Refused when one is going on, or nothing is selected."""
        found = suites.find([asked.suite], self.home)
        profiles = [self._profiles(suite.profiles) for suite in found if suite.profiles]
        plan = runs.Plan(found, asked.format, asked.variables, asked.only, profiles=profiles)
        total = sum(
            plan.selects(script.key(index), script.tags(test))
            for suite in plan.suites
            for script in suite.scripts
            for index, test in enumerate(script.tests)
        )
        if not total:
            raise Refused("No test of this suite has these tags.", code="only")
        if not self._busy.acquire(blocking=False):
            raise Refused("Another run is going on. Wait until it has ended.", code="busy")
        run = secrets.token_hex(8)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        progress = Progress(run, asked.suite, asked.target, started, total=total)
        try:
            (self._folder / run).mkdir(parents=True, mode=0o700)
            self._write(progress)
            self._forget_old()
        except OSError:
            self._busy.release()
            raise
        thread = threading.Thread(target=self._work, args=(plan, asked, progress), daemon=True)
        thread.start()
        return run

    def _work(self, plan: runs.Plan, asked: Asked, progress: Progress) -> None:
        latest = progress

        def told(result: TestResult) -> None:
            nonlocal latest
            latest = replace(latest, done=latest.done + 1, last=f"{result.outcome}: {result.key}")
            self._write(latest)

        try:
            auth = FixedBearer(asked.token) if asked.token else None
            hidden = [asked.token] if asked.token else []
            with Caller(asked.target, auth=auth) as caller:
                finished = runs.run(plan, {1: caller}, secrets_to_hide=hidden, on_test=told)
            report_folder.write(finished, self._folder / progress.run / "reports")
            latest = replace(latest, state="done", counts=finished.counts())
        finally:
            # Whatever happened, nobody must wait for a run that no longer is.
            self._write(latest if latest.state == "done" else replace(latest, state="broken"))
            self._busy.release()

    def find(self, run: str) -> Progress | None:
        """A run; None when there is none of this id."""
        file = self._folder / run / "run.json"
        if not _ID.fullmatch(run) or not file.is_file():
            return None
        found = Progress(**fhir_json.parse(file.read_bytes()))
        if found.state == "running" and time.time() - file.stat().st_mtime > SILENT:
            return replace(found, state="broken")
        return found

    def all(self) -> list[Progress]:
        """All runs, the newest first."""
        names = [f.parent.name for f in self._folder.glob("*/run.json")]
        found = [one for one in map(self.find, names) if one]
        return sorted(found, key=lambda one: one.started, reverse=True)

    def report(self, run: str) -> bytes | None:
        """The HTML report of a run that is done."""
        progress = self.find(run)
        if progress is None or progress.state != "done":
            return None
        return (self._folder / run / "reports" / "report.html").read_bytes()

    def archive(self, run: str) -> bytes | None:
        """All reports of a run that is done, as a ZIP file."""
        progress = self.find(run)
        if progress is None or progress.state != "done":
            return None
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted((self._folder / run / "reports").iterdir()):
                archive.write(file, f"conformance-{run}/{file.name}")
        return memory.getvalue()

    def _write(self, progress: Progress) -> None:
        """In one step, so that nobody reads half of it."""
        file = self._folder / progress.run / "run.json"
        fresh = file.with_suffix(".new")
        fresh.write_bytes(fhir_json.dump(asdict(progress)))
        fresh.replace(file)

    def _forget_old(self) -> None:
        for old in self.all()[KEPT:]:
            shutil.rmtree(self._folder / old.run, ignore_errors=True)
