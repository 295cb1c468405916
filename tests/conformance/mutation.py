"""The mutation check of the suite epr-inbound.

With each fault of the sandbox EPR a named test fails, each test fails with some fault, and without
a fault all pass.

    python -m tests.conformance.mutation                  every fault; writes the table of the docs
    python -m tests.conformance.mutation FAULT...         these alone; prints what fails

Exit status 1 when a fault survives, a test never fails, or one does without a fault.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from fhir_gateway.auth.bearer import FixedBearer
from fhir_gateway.conformance import runs, suites
from fhir_gateway.conformance.http import Caller
from fhir_gateway.conformance.results import BAD, Outcome, Run
from fhir_gateway.sandbox.epr.access import Access
from fhir_gateway.sandbox.epr.app import create_app
from fhir_gateway.sandbox.epr.injected.catalogue import FAULTS
from fhir_gateway.shipped import folder
from tests.sandbox.epr.request_bundle import patient
from tests.serving import serve

SUITE = "epr-inbound"
TOKEN = "synthetic-token"
KNOWN_NUMBER = "9990003041"
TABLE = Path(__file__).parents[2] / "docs" / "conformance-faults.md"
_HEAD = """# Faults of an EPR, and the tests that notice them

Written by `python -m tests.conformance.mutation`, which switches on each fault that the sandbox EPR
has (`fhir-gateway sandbox faults`) and runs the suite `epr-inbound` against it. Without a fault all
tests pass; a fault that no test notices makes the script fail, and so does a test that no fault
makes fail.

Faults: {faults}. Tests of the suite: {tests}. Survivors: {survivors}.

| Fault | What such an EPR does | Tests that fail |
|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Bench:
    """A sandbox EPR on a real port, new for each run."""

    front: Starlette
    address: str

    def run(self, *faults: str, only: Sequence[str] = (), **variables: str) -> Run:
        """Run the suite against an EPR with these faults, which has one Patient."""
        app: Any = create_app(
            access=Access([TOKEN]), faults=faults, patients=[patient(KNOWN_NUMBER)]
        )
        self.front.router.default = app
        found = suites.find([SUITE], folder("conformance"))
        given = {"knownNumber": KNOWN_NUMBER, **variables}
        plan = runs.Plan(found, only=only, variables=given)
        with Caller(f"{self.address}/fhir", auth=FixedBearer(TOKEN)) as caller:
            return runs.run(plan, {1: caller})


@contextmanager
def bench() -> Iterator[Bench]:
    """A bench until the block ends."""
    front = Starlette()
    with serve(front) as address:
        yield Bench(front, address)


def failed(run: Run) -> list[str]:
    """The names of the tests that failed: script/test."""
    return [test.key.partition("/")[2] for test in run.tests() if test.outcome in BAD]


def noticed(run: Run) -> list[str]:
    """Those that a fault itself made fail: not those that an earlier one kept from running."""
    return [t.key.partition("/")[2] for t in run.tests() if t.outcome is Outcome.FAIL]


def never_failed(right: Run, found: Mapping[str, Sequence[str]]) -> list[str]:
    """Tests that no fault makes fail: nothing shows that they check anything."""
    seen = {name for names in found.values() for name in names}
    names = [test.key.partition("/")[2] for test in right.tests()]
    return [name for name in names if name not in seen]


def table(found: Mapping[str, Sequence[str]], tests: int) -> str:
    """The page of the docs."""
    survivors = [name for name, names in found.items() if not names]
    head = _HEAD.format(faults=len(found), tests=tests, survivors=", ".join(survivors) or "none")
    rows = [
        f"| `{name}` | {FAULTS[name].sentence} | {', '.join(f'`{t}`' for t in names)} |"
        for name, names in found.items()
    ]
    return head + "\n".join(rows) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fault", nargs="*", choices=[[], *FAULTS])
    chosen = parser.parse_args(arguments).fault
    with bench() as there:
        right = there.run()
        problems = failed(right)
        for test in right.tests():
            if test.outcome is not Outcome.PASS:
                sys.stdout.write(f"without a fault: {test.outcome} {test.key}: {test.message}\n")
        found = {}
        for name in chosen or FAULTS:
            found[name] = noticed(there.run(name))
            sys.stdout.write(f"{name}: {', '.join(found[name]) or 'SURVIVES'}\n")
            sys.stdout.flush()
    idle = [] if chosen else never_failed(right, found)
    for name in idle:
        sys.stdout.write(f"no fault makes it fail: {name}\n")
    if not chosen:
        TABLE.write_text(table(found, sum(1 for _ in right.tests())))
    return 1 if problems or idle or not all(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
