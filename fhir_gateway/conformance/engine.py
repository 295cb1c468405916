"""Runs TestScripts: fixtures, setup, tests, teardown, in the order of R4.

https://hl7.org/fhir/R4/testscript.html: a failed setup keeps the tests from running, a failed
assert ends its test, teardown is always tried. Nothing that a script or a server says makes it
raise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fhir_gateway.conformance import capabilities, prerequisites
from fhir_gateway.conformance.conditions import Conditions
from fhir_gateway.conformance.http import Caller
from fhir_gateway.conformance.results import (
    BAD,
    Outcome,
    ScriptResult,
    Step,
    TestResult,
    worst,
)
from fhir_gateway.conformance.script import Script, actions, flag
from fhir_gateway.conformance.state import State
from fhir_gateway.conformance.steps import Runner, unlooked
from fhir_gateway.fhir import wire
from fhir_gateway.fhir.profiles import Profiles
from fhir_gateway.fhir.types import Element, as_dict, as_list, as_str

_STOPPED = "not run: the run was stopped"
_OPEN = "it is about who may enter, and this run does not identify itself: use --auth"
_NOT_REACHED = "not run: an earlier step ended the test"


@dataclass(frozen=True)
class Engine:
    """Runs scripts against a target.

    `callers`: by destination, 1 is the target. `selects`: which tests to run, by key and tags.
    `on_test`: told of each test when it has ended. `stopped`: whether somebody wants no more
    tests; what was begun is still cleaned up.
    """

    callers: Mapping[int, Caller]
    run_id: str
    conditions: Conditions
    media_type: str = wire.JSON
    given: Mapping[str, str] = field(default_factory=dict)
    profiles: Sequence[Profiles] = ()
    selects: Callable[[str, Sequence[str]], bool] = lambda _key, _tags: True
    on_test: Callable[[TestResult], None] = lambda _result: None
    stopped: Callable[[], bool] = lambda: False

    def selected(self, script: Script) -> list[int]:
        """The indexes of a script's tests that are to be run."""
        return [
            index
            for index, test in enumerate(script.tests)
            if self.selects(script.key(index), script.tags(test))
        ]

    def run(self, script: Script) -> ScriptResult:
        """Run one script; never raises."""
        wanted = self.selected(script)
        started = datetime.now(UTC)
        reason = self._unmet(script, None) if wanted else ""
        if reason:
            tests = self._without(script, wanted, Outcome.SKIP, reason)
            return _result(script, started, tests=tests)
        base = self.callers[1].base
        state = State(
            script,
            base,
            self.media_type,
            run=self.run_id,
            given=self.given,
            profiles=self.profiles,
        )
        runner = Runner(state, self.callers)
        setup = self._autocreate(script, runner)
        if _broken(setup) is None:
            setup += _run(runner, actions(script.resource.get("setup")))
        broken = _broken(setup)
        if broken is not None:
            tests = self._without(script, wanted, *broken)
        else:
            tests = self._tests(script, wanted, runner)
        teardown = _run(runner, actions(script.resource.get("teardown")), teardown=True)
        teardown += _autodelete(script, runner)
        return _result(script, started, tuple(setup), tests, tuple(teardown))

    def _tests(
        self, script: Script, wanted: Sequence[int], runner: Runner
    ) -> tuple[TestResult, ...]:
        """The results of the tests that are wanted; what they need is run before, untold."""
        results = []
        for index in prerequisites.with_needed(script, wanted):
            result = self._test(script, index, runner)
            if index in wanted:
                self.on_test(result)
                results.append(result)
        return tuple(results)

    def _test(self, script: Script, index: int, runner: Runner) -> TestResult:
        test = script.tests[index]
        start = time.monotonic()
        reason = self._unmet(script, test)
        if reason:
            runner.state.last = None
            return _test_result(script, index, Outcome.SKIP, reason)
        steps = _run(runner, actions(test))
        if any(step.message == _NOT_REACHED for step in steps):
            runner.state.last = None  # the next test cannot look at what was not done
        outcome = worst(step.outcome for step in steps if step.message != _NOT_REACHED)
        if not steps:
            outcome = Outcome.ERROR
        message = next((s.message for s in steps if s.outcome == outcome), "")
        if not steps:
            message = "the test has no action"
        return _test_result(
            script,
            index,
            outcome,
            "" if outcome == Outcome.PASS else message,
            tuple(steps),
            time.monotonic() - start,
        )

    def _unmet(self, script: Script, test: Element | None) -> str:
        """Why a script, or a test, is not run; empty when it is."""
        if self.stopped():
            return _STOPPED
        if script.about_credentials(test) and not self.callers[1].identifies:
            return _OPEN
        return self.conditions.unmet(script.requires(test)) or (
            self._incapable(script) if test is None else ""
        )

    def _incapable(self, script: Script) -> str:
        """What of the capabilities that the script requires a server does not have."""
        for destination, wanted in capabilities.required(script):
            caller = self.callers.get(destination, self.callers[1])
            if wanted is None:
                continue
            is_target = caller is self.callers[1]
            one = self.conditions if is_target else Conditions(caller, self.media_type)
            reason = one.incapable(wanted)
            if reason:
                return reason
        return ""

    def _without(
        self, script: Script, wanted: Iterable[int], outcome: Outcome, message: str
    ) -> tuple[TestResult, ...]:
        """Results of tests that are not run."""
        found = tuple(_test_result(script, index, outcome, message) for index in wanted)
        for one in found:
            self.on_test(one)
        return found

    def _autocreate(self, script: Script, runner: Runner) -> list[Step]:
        """Create the marked fixtures on each server that is tested."""
        wanted = [
            {
                "operation": {
                    "type": {"code": "create"},
                    "sourceId": name,
                    "destination": destination,
                    "description": f"Create the fixture {name}",
                }
            }
            for name in _marked(script, "autocreate")
            for destination in script.destinations or [1]
        ]
        return [_created(runner.run(action)) for action in wanted]


def _marked(script: Script, name: str) -> list[str]:
    return [
        as_str(fixture.get("id"))
        for fixture in map(as_dict, as_list(script.resource.get("fixture")))
        if flag(fixture, name, False)
    ]


def _created(step: Step) -> Step:
    """An implicit create that was not done is an error of setup."""
    answer = step.exchange.answer if step.exchange else None
    if step.outcome != Outcome.PASS or (answer and answer.status in (200, 201)):
        return step
    message = f"the fixture was not created: {step.message}"
    return Step(step.kind, step.label, Outcome.FAIL, message, step.exchange, stops=True)


def _autodelete(script: Script, runner: Runner) -> list[Step]:
    """Delete what was created of the fixtures that are to be deleted, the last one first, each on
    the servers where it was created."""
    names = [name for name in _marked(script, "autodelete") if name in runner.state.created]
    return [
        runner.run(
            {
                "operation": {
                    "type": {"code": "delete"},
                    "targetId": name,
                    "destination": destination,
                    "description": f"Delete the fixture {name}",
                }
            }
        )
        for name in reversed(names)
        for destination in runner.state.created[name]
    ]


def _run(runner: Runner, wanted: list[Element], *, teardown: bool = False) -> list[Step]:
    """The steps of actions in order. In teardown all are tried."""
    steps: list[Step] = []
    for index, action in enumerate(wanted):
        step = runner.run(action)
        following = wanted[index + 1] if index + 1 < len(wanted) else None
        steps.append(step if teardown else unlooked(step, following))
        if _ends(step) and not teardown:
            steps.extend(
                Step("action", _name(rest), Outcome.SKIP, _NOT_REACHED)
                for rest in wanted[index + 1 :]
            )
            break
    return steps


def _ends(step: Step) -> bool:
    return step.stops and step.outcome in (*BAD, Outcome.SKIP)


def _name(action: Element) -> str:
    from fhir_gateway.conformance.steps import label

    return label(as_dict(action.get("operation")) or as_dict(action.get("assert")))


def _broken(setup: Sequence[Step]) -> tuple[Outcome, str] | None:
    """How tests end that setup keeps from running, and why; None when they can run."""
    for step in setup:
        if _ends(step):
            outcome = Outcome.SKIP if step.outcome == Outcome.SKIP else Outcome.ERROR
            return outcome, f"not run, as setup did not succeed: {step.label}: {step.message}"
    return None


def _test_result(
    script: Script,
    index: int,
    outcome: Outcome,
    message: str,
    steps: tuple[Step, ...] = (),
    seconds: float = 0.0,
) -> TestResult:
    test = script.tests[index]
    name = as_str(test.get("name")) or as_str(test.get("id")) or f"Test {index + 1}"
    return TestResult(
        script.key(index),
        name,
        outcome,
        message,
        as_str(test.get("description")),
        script.requirements(test),
        script.tags(test),
        steps,
        seconds,
    )


def _result(
    script: Script,
    started: datetime,
    setup: tuple[Step, ...] = (),
    tests: tuple[TestResult, ...] = (),
    teardown: tuple[Step, ...] = (),
) -> ScriptResult:
    url = as_str(script.resource.get("url"))
    stopped = any(test.message == _STOPPED for test in tests)
    return ScriptResult(
        script.suite, script.name, script.title, url, setup, tests, teardown, started, stopped
    )
