"""Which requirements a run has covered, and how."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_gateway.conformance.results import Outcome, Requirement, Run, TestResult, worst


@dataclass(frozen=True, slots=True)
class Covered:
    """A requirement with the tests that check it. `outcome`: the worst of theirs."""

    requirement: Requirement
    tests: tuple[TestResult, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst of its tests."""
        return worst(test.outcome for test in self.tests)


def of_run(run: Run) -> list[Covered]:
    """Every requirement of the tests of a run, in the order of specification and section."""
    found: dict[Requirement, list[TestResult]] = {}
    for test in run.tests():
        for requirement in test.requirements:
            found.setdefault(requirement, []).append(test)
    covered = [Covered(requirement, tuple(tests)) for requirement, tests in found.items()]
    return sorted(covered, key=lambda c: (c.requirement.specification, _order(c.requirement)))


def _order(requirement: Requirement) -> tuple[tuple[int, str], ...]:
    """Sections in their order: 3.2 comes before 3.10."""
    head = requirement.section.split(" ", 1)[0]
    return tuple((int(part) if part.isdecimal() else 0, part) for part in head.split("."))
