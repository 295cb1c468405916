"""The suite epr-inbound against FHIR servers of others, and what its results say.

    python -m tests.peers.conformance [--out FOLDER] [PEER...]    `script/conformance` calls it

Without a PEER all are run (HAPI FHIR JPA is large: 390 MB, half a minute to start), and
docs/conformance-servers.md is written. Exit status 1 when a server differs in another way than
differences.toml says.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhir_gateway.conformance import report_folder, runs, suites
from fhir_gateway.conformance.http import Caller
from fhir_gateway.conformance.results import BAD, Run
from fhir_gateway.shipped import folder
from tests.peers.starting import running

_ROOT = Path(__file__).parents[2]
PEERS = ("medplum", "node-fhir-server", "hapi-jpa")
PAGE = _ROOT / "docs" / "conformance-servers.md"
REPORTS = _ROOT / "test-results" / "conformance"
_HEAD = """# FHIR servers of others under the suite epr-inbound

Written by `script/conformance`, which starts each server on this machine, runs the suite
`epr-inbound` against it and keeps the reports in `test-results/conformance/SERVER/` (open
`report.html`). A difference that is not explained here makes it fail; CI holds the same.
What is skipped is what a server does not declare.
"""


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a server: a title, and why each of these tests fails."""

    title: str
    because: Mapping[str, str]


def expected(peer: str) -> Expected:
    """What differences.toml says."""
    known = tomllib.loads((Path(__file__).parent / "differences.toml").read_text())[peer]
    reasons = {
        test: difference["because"]
        for difference in known.get("differences", [])
        for test in difference["tests"]
    }
    return Expected(known["title"], reasons)


def run(peer: str, out: Path) -> Run:
    """Start a server, run the suite and keep the reports in `out`."""
    plan = runs.Plan(suites.find(["epr-inbound"], folder("conformance")))
    needs = "hapi" if peer == "hapi-jpa" else "node"
    with running(peer, needs) as base, Caller(base, timeout=60) as caller:
        found = runs.run(plan, {1: caller})
    report_folder.write(found, out)
    return found


def differences(found: Run) -> list[str]:
    """The tests that failed or could not be judged."""
    return [test.key.partition("/")[2] for test in found.tests() if test.outcome in BAD]


def section(peer: str, found: Run) -> str:
    """What the page says of a server."""
    known = expected(peer)
    counts = found.counts()
    failed = counts["fail"] + counts["error"]
    groups: dict[str, list[str]] = {}
    for test in differences(found):
        groups.setdefault(known.because.get(test, "**not explained**"), []).append(f"`{test}`")
    rows = [f"| {', '.join(tests)} | {because} |" for because, tests in groups.items()]
    numbers = f"{counts['pass']} passed, {failed} failed, {counts['skip']} skipped."
    table = ["| Tests that fail | Why, and what the gateway does |", "|---|---|", *rows]
    return "\n".join([f"## {known.title}", "", numbers, "", *(table if rows else [])]) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite against the servers that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=REPORTS)
    parser.add_argument("peer", nargs="*", choices=[[], *PEERS])
    given: Any = parser.parse_args(arguments)
    sections, unexplained = [], []
    for peer in given.peer or PEERS:
        found = run(peer, given.out / peer)
        counts = {name: number for name, number in found.counts().items() if number}
        sys.stdout.write(f"{peer}: {counts}, {given.out / peer / 'report.html'}\n")
        known = set(expected(peer).because)
        for test in sorted(known ^ set(differences(found))):
            unexplained.append(test)
            what = "passes now" if test in known else "fails, and is not explained"
            sys.stdout.write(f"  {test}: {what}\n")
        sections.append(section(peer, found))
    if not given.peer:
        PAGE.write_text("\n".join([_HEAD, *sections]))
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
