"""What is wrong with the steps of setup, a test or teardown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fhir_gateway.conformance import assertions, operators
from fhir_gateway.conformance.assert_http import RESPONSES
from fhir_gateway.conformance.finding import ERROR, WARNING, Finding
from fhir_gateway.conformance.interactions import METHODS, interaction, operation_name
from fhir_gateway.conformance.lint_expressions import always_true, expression, path
from fhir_gateway.conformance.lint_names import Names
from fhir_gateway.conformance.script import flag
from fhir_gateway.fhir.types import Element, as_dict, as_str


def findings(
    phase: str, listed: Sequence[Element], names: Names, *, is_test: bool, asked: bool = False
) -> Iterator[Finding]:
    """Findings of the actions of a phase. `asked`: whether there is an operation before them."""
    for index, action in enumerate(listed):
        place = f"{phase}.action[{index}]"
        operation, assertion = action.get("operation"), action.get("assert")
        if isinstance(operation, dict) == isinstance(assertion, dict):
            yield Finding(ERROR, place, "an action is one operation or one assert")
        elif isinstance(operation, dict):
            asked = True
            yield from _operation(f"{place}.operation", operation, names)
        else:
            yield from _assertion(f"{place}.assert", as_dict(assertion), names, asked=asked)
    if is_test:
        yield from _whole(phase, listed)


def _operation(place: str, operation: Element, names: Names) -> Iterator[Finding]:
    code = as_str(as_dict(operation.get("type")).get("code"))
    method = as_str(operation.get("method")).upper()
    if method and method not in METHODS:
        yield Finding(ERROR, place, f"'{method}' is no HTTP method")
    elif not code and not method:
        yield Finding(ERROR, place, "neither type nor method says what to do")
    elif not method and interaction(code) is None and not operation_name(code):
        yield Finding(ERROR, place, f"the operation '{code}' is not known; it would be skipped")
    what = interaction(code)
    if what and what.body and not operation.get("sourceId") and not operation.get("url"):
        yield Finding(WARNING, place, f"'{code}' without a sourceId sends nothing")
    for name in ("sourceId", "targetId"):
        yield from _known(place, name, operation, names)
    addressed = any(operation.get(n) for n in ("url", "params", "targetId", "sourceId"))
    if what and what.place in ("instance", "version") and not addressed:
        yield Finding(ERROR, place, "nothing says which resource is meant")


def _known(place: str, name: str, part: Element, names: Names) -> Iterator[Finding]:
    value = as_str(part.get(name))
    if value and value not in names.fixtures | names.kept:
        yield Finding(ERROR, place, f"{name} '{value}' is neither a fixture nor an answer")


def _assertion(place: str, part: Element, names: Names, *, asked: bool) -> Iterator[Finding]:
    if not assertions.checks(part):
        yield Finding(ERROR, place, "it checks nothing")
    for name in ("sourceId", "compareToSourceId", "minimumId"):
        yield from _known(place, name, part, names)
    if not asked and not part.get("sourceId"):
        yield Finding(ERROR, place, "no operation before it that it could look at")
    profile = as_str(part.get("validateProfileId"))
    if profile and profile not in names.profiles:
        yield Finding(ERROR, place, f"there is no profile '{profile}'")
    if isinstance(part.get("response"), str) and part["response"] not in RESPONSES:
        yield Finding(ERROR, place, f"'{part['response']}' is no response code")
    yield from _operator(place, part)
    for name in ("expression", "compareToSourceExpression"):
        if isinstance(part.get(name), str):
            yield from expression(place, part[name])
    for name in ("path", "compareToSourcePath"):
        if isinstance(part.get(name), str):
            yield from path(place, part[name])


def _operator(place: str, part: Element) -> Iterator[Finding]:
    operator = as_str(part.get("operator"))
    if operator and operator not in operators.OPERATORS:
        yield Finding(ERROR, place, f"'{operator}' is no operator")
    compares = part.get("value") is not None or part.get("compareToSourceId")
    if part.get("headerField") and not compares and operator not in operators.WITHOUT_VALUE:
        yield Finding(ERROR, place, "a header without a value to compare with")
    if operator in ("contains", "greaterThan", "lessThan", "in") and part.get("value") == "":
        yield Finding(ERROR, place, "it compares with an empty value, so it cannot fail")


def _whole(phase: str, listed: Sequence[Element]) -> Iterator[Finding]:
    """A test that no server could fail."""
    asserts = [as_dict(a.get("assert")) for a in listed if isinstance(a.get("assert"), dict)]
    if not asserts:
        yield Finding(WARNING, phase, "it has no assert, so it cannot fail")
    elif all(flag(one, "warningOnly", False) for one in asserts):
        yield Finding(WARNING, phase, "all its asserts are warningOnly, so it cannot fail")
    if any(n in one for one in asserts for n in ("response", "responseCode", "resource")):
        return
    for one in asserts:
        text = as_str(one.get("expression"))
        bare = text and one.get("value") is None and one.get("operator") is None
        if bare and always_true(text):
            yield Finding(WARNING, phase, f"'{text[:100]}' is true of any answer, an error as well")
