"""The shipped suites against FHIR servers of others, and what their results say.

    python -m tests.peers.conformance [--out FOLDER] [PEER...]    `script/conformance` calls it

Without a PEER all are run (HAPI FHIR JPA is large: 390 MB, half a minute to start). Their sections
of docs/conformance-servers.md are written. Exit status 1 when a server differs in another way than
differences.toml says.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
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
_HEAD = """# FHIR servers of others under the suites

Written by `script/conformance`, which starts each server on this machine, runs the suites against
it and keeps the reports in `test-results/conformance/SERVER/SUITE-FORMAT/` (open `report.html`). A
difference that is not explained here makes it fail; CI holds the same. What is skipped is what a
server does not declare. HAPI FHIR's validator is the reference implementation: that it agrees with
every verdict of `questionnaire-forms` says that these are not only ours.
"""


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a server. `runs`: suite and format; `because`: why each of these tests,
    `script/test`, fails."""

    title: str
    runs: tuple[tuple[str, str], ...]
    because: Mapping[str, str]


def expected(peer: str) -> Expected:
    """What differences.toml says."""
    known = tomllib.loads((Path(__file__).parent / "differences.toml").read_text())[peer]
    reasons = {
        test: difference["because"]
        for difference in known.get("differences", [])
        for test in difference["tests"]
    }
    return Expected(known["title"], tuple((s, f) for s, f in known["runs"]), reasons)


def run(peer: str, out: Path, started: str = "") -> dict[str, Run]:
    """Start a server (unless it is at `started` already), run its suites and keep the reports below
    `out`; runs by suite and format."""
    found = {}
    with nullcontext(started) if started else running(peer, "node") as base:
        for suite, form in expected(peer).runs:
            plan = runs.Plan(suites.find([suite], folder("conformance")), format=form)
            with Caller(base, timeout=60) as caller:
                label = f"{suite}-{form}"
                found[label] = runs.run(plan, {1: caller})
            report_folder.write(found[label], out / label)
    return found


def differences(found: Run) -> list[str]:
    """The tests that failed or could not be judged."""
    return [test.key.partition("/")[2] for test in found.tests() if test.outcome in BAD]


def surprises(peer: str, found: Run) -> list[str]:
    """What differences.toml does not say of a run, each a sentence."""
    there = {test.key.partition("/")[2] for test in found.tests()}
    known = set(expected(peer).because) & there
    failed = set(differences(found))
    return [
        f"{test} passes now" if test in known else f"{test} fails, and is not explained"
        for test in sorted(known ^ failed)
    ]


def section(peer: str, found: Mapping[str, Run]) -> str:
    """What the page says of a server."""
    known = expected(peer)
    numbers, groups = [], dict[str, list[str]]()
    for label, one in found.items():
        counts = one.counts()
        suite, _, form = label.rpartition("-")
        failed = counts["fail"] + counts["error"]
        numbers.append(
            f"- `{suite}` in {form.upper()}: {counts['pass']} passed, {failed} failed, "
            f"{counts['skip']} skipped"
        )
        for test in differences(one):
            group = groups.setdefault(known.because.get(test, "**not explained**"), [])
            if f"`{test}`" not in group:
                group.append(f"`{test}`")
    rows = [f"| {', '.join(tests)} | {because} |" for because, tests in groups.items()]
    table = ["| Tests that fail | Why, and what the gateway does |", "|---|---|", *rows]
    return "\n".join([f"## {known.title}", "", *numbers, "", *(table if rows else [])]) + "\n"


def write(peer: str, text: str) -> None:
    """Write what the page says of one server; of the others it stays as it is."""
    before = PAGE.read_text() if PAGE.is_file() else ""
    sections = {f"## {part}".split("\n")[0]: f"## {part}" for part in before.split("\n## ")[1:]}
    sections[text.split("\n")[0]] = text
    titles = [f"## {expected(one).title}" for one in PEERS]
    kept = [sections[title].rstrip("\n") + "\n" for title in titles if title in sections]
    PAGE.write_text("\n".join([_HEAD, *kept]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite against the servers that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=REPORTS)
    parser.add_argument("peer", nargs="*", choices=[[], *PEERS])
    given: Any = parser.parse_args(arguments)
    unexplained: list[str] = []
    for peer in given.peer or PEERS:
        found = run(peer, given.out / peer)
        for label, one in found.items():
            counts = {name: number for name, number in one.counts().items() if number}
            report = given.out / peer / label / "report.html"
            sys.stdout.write(f"{peer} {label}: {counts}, {report}\n")
            unexplained += surprises(peer, one)
        write(peer, section(peer, found))
    for sentence in unexplained:
        sys.stdout.write(f"  {sentence}\n")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
