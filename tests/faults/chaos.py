"""Chaos: patients send, while processes are killed and frozen and neighbours lie. Nothing may be
lost, doubled or stuck.

    python tests/faults/chaos.py --submissions 200 --seed 1
    python tests/faults/chaos.py --submissions 2000 --seed 7 --kills 80 --store postgresql --json
    python tests/faults/chaos.py --submissions 200 --epr hapi-jpa

Real processes: `serve`, `serve --no-worker`, `worker`, and the sandbox EPR, PDS and phone with
faults switched on; real HTTP between them. With `--epr hapi-jpa` the EPR is HAPI FHIR JPA (needs
Java and Maven), behind a relay that has the same faults and is killed in its place. The last line
of the output is JSON:
{"accepted", "kills", "lost", "doubled", "stuck"}. The exit status is 1 unless the last three are 0.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults.audit import Audit, audit, unfinished
from tests.faults.monkey import Monkey
from tests.faults.stage import Stage
from tests.faults.submitters import Submitters

SANDBOX = "sandbox"
#: Nobody waits longer for the sending: of one request on average, and beside that.
_SECONDS_EACH = 2.0
_SENDING_SECONDS = 240.0
#: Faster than a hospital's gate before PDS, so that more is on its way when something is killed.
_PDS_PER_SECOND = 25.0
#: So long without any progress is stuck: the gate before PDS may be shut for five minutes.
_STUCK_SECONDS = 400.0


@dataclass(slots=True)
class Report:
    """What one run on one store showed."""

    store: str
    submissions: int
    kills: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    drain: float = 0.0
    found: Audit = field(default_factory=Audit)

    @property
    def killed(self) -> int:
        """How often something was killed, frozen for long, or crashed."""
        return sum(self.kills.values())

    def as_json(self) -> dict[str, int]:
        """The line for scripts. `doubled`: requests in the EPR and texts on the phone."""
        return {
            "accepted": self.found.accepted,
            "kills": self.killed,
            "lost": len(self.found.lost),
            "doubled": len(self.found.doubled) + len(self.found.texts_doubled),
            "stuck": len(self.found.stuck),
        }

    @property
    def right(self) -> bool:
        """Whether all that was asked for was accepted, and nothing went wrong with it."""
        line = self.as_json()
        return line["accepted"] >= self.submissions and not (
            line["lost"] or line["doubled"] or line["stuck"]
        )


def run(
    store: str,
    submissions: int,
    seed: int,
    kills: int,
    folder: Path,
    say: Any = lambda text: None,
    epr: str = SANDBOX,
) -> Report:
    """One run. `say` tells how it goes on."""
    report = Report(store, submissions)
    with ExitStack() as stack:
        behind: dict[str, Any] = {}
        if epr != SANDBOX:
            from tests.peers.starting import running

            say(f"{epr}: starting")
            behind = {"epr_behind": stack.enter_context(running(epr, "java")), "at_once": 4}
        database_url, crash = None, None
        if store == "postgresql":
            from tests.faults.postgres import CrashablePostgres

            postgres = stack.enter_context(CrashablePostgres(folder / "postgres"))
            database_url, crash = postgres.url, postgres.crash
        stage = Stage(
            folder, database_url, seed, submissions, pds_per_second=_PDS_PER_SECOND, **behind
        )
        stack.callback(stage.close)
        say(f"{store}: starting")
        stage.prepare()
        stage.faults.touch()
        started = time.monotonic()
        monkey = Monkey(stage, seed, kills, crash)
        submitters = Submitters(stage, monkey)
        threads = [threading.Thread(target=monkey.run), *submitters.threads()]
        for thread in threads:
            thread.start()
        _wait(
            threads,
            monkey,
            submitters,
            started + _SENDING_SECONDS + submissions * _SECONDS_EACH,
            say,
        )
        report.seconds = time.monotonic() - started
        stage.faults.unlink()
        monkey.heal()
        say(f"{store}: all is calm; waiting for the rest to be delivered")
        report.drain = _drain(stage, monkey, say)
        report.kills = dict(monkey.done)
        report.found = audit(stage, submitters.acknowledged)
    return report


def _wait(
    threads: list[threading.Thread],
    monkey: Monkey,
    submitters: Submitters,
    deadline: float,
    say: Any,
) -> None:
    told = time.monotonic()
    while any(thread.is_alive() for thread in threads):
        if time.monotonic() > deadline:
            monkey.stop()
            submitters.stop()
        if time.monotonic() - told > 5:
            told = time.monotonic()
            say(f"  {len(submitters.acknowledged)} accepted, {sum(monkey.done.values())} kills")
        for thread in threads:
            thread.join(timeout=0.1)


def _drain(stage: Stage, monkey: Monkey, say: Any) -> float:
    started = told = moved = time.monotonic()
    before = -1
    while time.monotonic() - moved < _STUCK_SECONDS:
        monkey.bury()
        left = unfinished(stage)
        if left == 0:
            break
        if left != before:
            before, moved = left, time.monotonic()
        if time.monotonic() - told > 5:
            told = time.monotonic()
            say(f"  {left} on their way")
        time.sleep(0.5)
    return time.monotonic() - started


def show(reports: list[Report], say: Any) -> None:
    """The table."""
    columns = (
        "store", "accepted", "unacknowledged", "kills", "lost", "doubled", "texts doubled",
        "texts missing", "stuck", "absorbed", "seconds", "drain",
    )  # fmt: skip
    rows = [
        (
            r.store, r.found.accepted, r.found.unacknowledged, r.killed, len(r.found.lost),
            len(r.found.doubled), len(r.found.texts_doubled), r.found.texts_missing,
            len(r.found.stuck), r.found.absorbed, f"{r.seconds:.0f}", f"{r.drain:.0f}",
        )
        for r in reports
    ]  # fmt: skip
    widths = [max(len(str(cell)) for cell in column) for column in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        say("  ".join(str(cell).rjust(width) for cell, width in zip(row, widths, strict=True)))
    for r in reports:
        how = ", ".join(f"{count} {name}" for name, count in sorted(r.kills.items()))
        say(f"{r.store}: {how}")
        for kind in ("lost", "doubled", "texts_doubled", "stuck"):
            for what in getattr(r.found, kind)[:10]:
                say(f"{r.store}: {kind}: {what}")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, help="default: one for 15 submissions, 10 to 100")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--epr", choices=[SANDBOX, "hapi-jpa"], default=SANDBOX)
    parser.add_argument("--folder", type=Path, help="keep databases and logs here")
    parser.add_argument("--json", action="store_true", help="nothing but JSON on standard output")
    given = parser.parse_args()
    kills = given.kills or min(max(10, given.submissions // 15), 100)

    if given.epr != SANDBOX:
        from tests.peers.starting import unavailable

        if reason := unavailable(given.epr):
            parser.error(reason)

    def say(text: str) -> None:
        out = sys.stderr if given.json else sys.stdout
        out.write(f"{text}\n")
        out.flush()

    with tempfile.TemporaryDirectory(prefix="chaos-") as temporary:
        folder = (given.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        report = run(given.store, given.submissions, given.seed, kills, folder, say, given.epr)
    show([report], say)
    sys.stdout.write(json.dumps(report.as_json()) + "\n")
    return 0 if report.right else 1


if __name__ == "__main__":
    sys.exit(main())
