"""One run of suites against a target, as the command line and the gateway's page start it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fhir_gateway import __version__
from fhir_gateway.conformance.conditions import Conditions
from fhir_gateway.conformance.engine import Engine
from fhir_gateway.conformance.http import Caller
from fhir_gateway.conformance.masking import Masker
from fhir_gateway.conformance.results import Run, ScriptResult, TestResult
from fhir_gateway.conformance.suites import Suite
from fhir_gateway.fhir import wire
from fhir_gateway.fhir.profiles import Profiles

FORMATS = {"json": wire.JSON, "xml": wire.XML}
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Plan:
    """What to run. `only`: tags, script names or keys, of which a test needs one (empty: all).
    `keys`: tests to run again (None: all)."""

    suites: Sequence[Suite]
    format: str = "json"
    variables: Mapping[str, str] = field(default_factory=dict)
    only: Collection[str] = ()
    keys: Collection[str] | None = None
    profiles: Sequence[Profiles] = ()

    def selects(self, key: str, tags: Sequence[str]) -> bool:
        """Whether a test is to be run."""
        if self.keys is not None and key not in self.keys:
            return False
        names = {*tags, *key.split("/", 2), key}
        return not self.only or bool(names & set(self.only))


def new_run_id() -> str:
    """A value for `${run}`: different in each run, short enough for an identifier."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))


def run(
    plan: Plan,
    callers: Mapping[int, Caller],
    *,
    secrets_to_hide: Collection[str] = (),
    on_test: Callable[[TestResult], None] = lambda _result: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Run:
    """Run it; secrets are masked in what is returned. Never raises for what a script or the target
    does."""
    start, started = time.monotonic(), datetime.now(UTC)
    run_id = new_run_id()
    conditions = Conditions(callers[1], FORMATS[plan.format])
    mask = Masker(secrets_to_hide)
    engine = Engine(
        callers,
        run_id,
        conditions,
        FORMATS[plan.format],
        plan.variables,
        plan.profiles,
        plan.selects,
        lambda result: on_test(mask.test(result)),
        stopped,
    )
    results = tuple(mask.script(result) for result in _results(plan, engine, started))
    return Run(
        callers[1].base,
        run_id,
        started,
        f"fhir-gateway conformance {__version__}",
        plan.format,
        conditions.software,
        time.monotonic() - start,
        results,
    )


def _results(plan: Plan, engine: Engine, started: datetime) -> Iterator[ScriptResult]:
    for suite in plan.suites:
        for file, problem in suite.problems:
            if plan.keys is None and not plan.only:
                title = file.name
                yield ScriptResult(suite.name, file.stem, title, started=started, problem=problem)
        for script in suite.scripts:
            if engine.selected(script):
                yield engine.run(script)
