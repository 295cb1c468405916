"""What running TestScripts gave, as plain values that every report is made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from fhir_gateway.conformance.exchange import Exchange


class Outcome(StrEnum):
    """How a step or a test ended, from best to worst."""

    PASS = "pass"  # noqa: S105 (an outcome, no password)
    WARNING = "warning"
    SKIP = "skip"
    FAIL = "fail"
    ERROR = "error"


_ORDER = list(Outcome)
#: Outcomes after which nobody may call a server conformant.
BAD = frozenset({Outcome.FAIL, Outcome.ERROR})


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The worst of some outcomes; of none a pass."""
    return max(outcomes, key=_ORDER.index, default=Outcome.PASS)


@dataclass(frozen=True, slots=True)
class Requirement:
    """Which requirement of which specification a test checks."""

    specification: str
    version: str = ""
    section: str = ""
    link: str = ""
    strength: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One action. `kind`: operation or assert. `exchange`: what an operation sent and got."""

    kind: str
    label: str
    outcome: Outcome
    message: str = ""
    exchange: Exchange | None = None
    #: Whether a failure here ends its test (setup: ends the script).
    stops: bool = False


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test of a script. `key` is stable between runs: suite/script/test."""

    __test__ = False  # not a test of pytest

    key: str
    name: str
    outcome: Outcome
    message: str = ""
    description: str = ""
    requirements: tuple[Requirement, ...] = ()
    tags: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """One TestScript with its setup, tests and teardown."""

    suite: str
    script: str
    title: str
    url: str = ""
    setup: tuple[Step, ...] = ()
    tests: tuple[TestResult, ...] = ()
    teardown: tuple[Step, ...] = ()
    started: datetime | None = None
    #: Whether somebody ended the run before all its tests were run.
    stopped: bool = False
    #: Why it could not be run at all (it does not parse, a fixture is missing).
    problem: str = ""

    @property
    def beside_tests(self) -> Outcome | None:
        """What went wrong outside of any test and shows in none: it could not be run, or setup
        failed and let the tests go on. None for nothing."""
        if self.problem:
            return Outcome.ERROR
        found = worst(step.outcome for step in self.setup)
        if found in BAD and not any(test.outcome in BAD for test in self.tests):
            return found
        return None

    @property
    def outcome(self) -> Outcome:
        """The worst of its tests and of what went wrong beside them."""
        beside = [self.beside_tests] if self.beside_tests else []
        return worst([*beside, *(test.outcome for test in self.tests)])


@dataclass(frozen=True, slots=True)
class Run:
    """One run of suites against a target."""

    target: str
    run_id: str
    started: datetime
    tool: str
    format: str = "json"
    #: What the target calls itself in its CapabilityStatement, when that was read.
    software: str = ""
    seconds: float = 0.0
    scripts: tuple[ScriptResult, ...] = field(default_factory=tuple)

    def tests(self) -> Iterator[TestResult]:
        """All tests, in order."""
        for script in self.scripts:
            yield from script.tests

    def counts(self) -> dict[str, int]:
        """How many tests ended how; what went wrong beside the tests of a script counts as one."""
        found = dict.fromkeys(map(str, Outcome), 0)
        for test in self.tests():
            found[test.outcome] += 1
        for script in self.scripts:
            if script.beside_tests:
                found[script.beside_tests] += 1
        return found

    @property
    def ok(self) -> bool:
        """No failure, no error, and at least one test was really run."""
        counts = self.counts()
        return not any(counts[o] for o in BAD) and bool(
            counts[Outcome.PASS] + counts[Outcome.WARNING]
        )
