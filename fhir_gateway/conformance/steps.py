"""One action of a script: its operation is sent, or its assert judged. Never raises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fhir_gateway.conformance import assertions, requests
from fhir_gateway.conformance.errors import NotSupported, ScriptError
from fhir_gateway.conformance.http import Caller
from fhir_gateway.conformance.results import Outcome, Step
from fhir_gateway.conformance.script import flag, stops
from fhir_gateway.conformance.state import State
from fhir_gateway.errors import Refused
from fhir_gateway.fhir.types import Element, as_dict, as_str

_ERROR_STATUS = 400


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs the actions of one script. `callers`: by the index of a destination; 1 is the target."""

    state: State
    callers: Mapping[int, Caller]

    def run(self, action: Element) -> Step:
        """One action; whatever goes wrong is in the step."""
        has = [name for name in ("operation", "assert") if isinstance(action.get(name), dict)]
        if len(has) != 1:
            message = "an action is one operation or one assert"
            return Step("action", "", Outcome.ERROR, message, stops=True)
        part = action[has[0]]
        try:
            return self._operation(part) if has[0] == "operation" else self._assert(part)
        except NotSupported as error:
            ends = has[0] == "operation"
            return Step(has[0], label(part), Outcome.SKIP, str(error), stops=ends)
        except Refused as error:
            return Step(has[0], label(part), Outcome.ERROR, str(error), stops=True)
        except Exception as error:  # a defect here must not lose the rest of the run
            message = f"the engine could not run this step ({type(error).__name__})"
            return Step(has[0], label(part), Outcome.ERROR, message, stops=True)

    def _operation(self, operation: Element) -> Step:
        scope = self.state
        scope.destination = self._destination(operation)
        caller = self.callers.get(scope.destination)
        if caller is None and scope.destinations == [scope.destination]:
            caller = self.callers[1]  # the only one, whatever its number, is the target
        if caller is None:
            number = scope.destination
            raise NotSupported(f"needs a second server: --destination {number}=URL")
        scope.base = caller.base
        exchange = caller.send(requests.build(operation, scope))
        scope.record(operation, exchange)
        name = label(operation)
        if exchange.answer is None:
            return Step("operation", name, Outcome.ERROR, exchange.problem, exchange, stops=True)
        message = f"{exchange.answer.status} {exchange.answer.reason}".strip()
        return Step("operation", name, Outcome.PASS, message, exchange)

    def _destination(self, operation: Element) -> int:
        """The server that an operation means. Raises ScriptError where several are declared and
        it says none, as R4 has it (TestScript.setup.action.operation.destination)."""
        declared = self.state.destinations
        given = operation.get("destination")
        if given is None and len(declared) > 1:
            raise ScriptError(f"it does not say which of the {len(declared)} destinations is meant")
        if given is None:
            return declared[0] if declared else 1
        if isinstance(given, bool) or not isinstance(given, int):
            raise ScriptError("its destination is no number")
        return given

    def _assert(self, assertion: Element) -> Step:
        verdict = assertions.judge(assertion, self.state)
        if verdict.holds:
            return Step("assert", label(assertion), Outcome.PASS, verdict.message)
        if flag(assertion, "warningOnly", False):
            return Step("assert", label(assertion), Outcome.WARNING, verdict.message)
        ends = stops(assertion)
        return Step("assert", label(assertion), Outcome.FAIL, verdict.message, stops=ends)


def label(part: Element) -> str:
    """What to call an action: its description, its label, or what it does."""
    found = as_str(part.get("description")) or as_str(part.get("label"))
    if found:
        return found
    code = as_str(as_dict(part.get("type")).get("code")) or as_str(part.get("method"))
    names = [name for name in assertions.CHECKS if name in part]
    return (
        " ".join(filter(None, [code, as_str(part.get("resource"))])) if code else ", ".join(names)
    )


def unlooked(step: Step, following: Element | None) -> Step:
    """A warning for an operation whose error nobody looks at: no assert follows it."""
    answer = step.exchange.answer if step.exchange else None
    looked_at = following is not None and "assert" in following
    if step.kind != "operation" or answer is None or looked_at:
        return step
    if answer.status < _ERROR_STATUS or step.outcome != Outcome.PASS:
        return step
    message = f"{step.message}, and no assert looks at it"
    return replace(step, outcome=Outcome.WARNING, message=message)
