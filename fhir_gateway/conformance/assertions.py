"""The asserts of a script, each judged on what an operation sent and got."""

from __future__ import annotations

from fhir_gateway.conformance import assert_content, assert_http
from fhir_gateway.conformance.assert_scope import Scope, Verdict
from fhir_gateway.conformance.errors import NoResource, ScriptError
from fhir_gateway.conformance.script import flag
from fhir_gateway.fhir.types import Element, as_str

_CHECKS = {**assert_http.CHECKS, **assert_content.CHECKS}
#: What an assert may check; one that has none of these checks nothing.
CHECKS = tuple(_CHECKS)


def checks(assertion: Element) -> list[str]:
    """What an assert checks; `navigationLinks: false` asks for nothing."""
    return [
        name
        for name in CHECKS
        if assertion.get(name) is not None
        and (name != "navigationLinks" or flag(assertion, name, False))
    ]


def judge(assertion: Element, scope: Scope) -> Verdict:
    """The verdict; of several checks in one assert all must hold.

    Raises ScriptError, NotSupported.
    """
    verdicts = []
    for name in checks(assertion):
        try:
            verdicts.append(_CHECKS[name](assertion, scope))
        except NoResource as error:
            verdicts.append(Verdict(False, f"{_whose(assertion)}: {error}"))
    if not verdicts:
        raise ScriptError("the assert checks nothing")
    failed = [one for one in verdicts if not one.holds]
    return Verdict(not failed, "; ".join(one.message for one in failed or verdicts))


def _whose(assertion: Element) -> str:
    source = as_str(assertion.get("sourceId"))
    return source or ("the request" if assertion.get("direction") == "request" else "the answer")
