"""The asserts of a script, each judged on what an operation sent and got.

https://hl7.org/fhir/R4/testscript-definitions.html#TestScript.setup.action.assert
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fhir_gateway.conformance import minimum, navigation, operators, paths, substitution, validation
from fhir_gateway.conformance.errors import NoResource, NothingYet, NotSupported, ScriptError
from fhir_gateway.conformance.exchange import Answer, Content, Exchange
from fhir_gateway.conformance.requests import media_type
from fhir_gateway.conformance.script import flag
from fhir_gateway.fhir.profiles import Profiles
from fhir_gateway.fhir.types import Element, Resource, as_str

#: https://hl7.org/fhir/R4/valueset-assert-response-code-types.html, with R5's additions and
#: `badRequest`, which R5 has for R4's `bad`.
RESPONSES = {
    "continue": 100,
    "switchingProtocols": 101,
    "okay": 200,
    "created": 201,
    "accepted": 202,
    "nonAuthoritativeInformation": 203,
    "noContent": 204,
    "resetContent": 205,
    "partialContent": 206,
    "multipleChoices": 300,
    "movedPermanently": 301,
    "found": 302,
    "seeOther": 303,
    "notModified": 304,
    "useProxy": 305,
    "temporaryRedirect": 307,
    "permanentRedirect": 308,
    "bad": 400,
    "badRequest": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "notFound": 404,
    "methodNotAllowed": 405,
    "notAcceptable": 406,
    "conflict": 409,
    "gone": 410,
    "preconditionFailed": 412,
    "unsupportedMediaType": 415,
    "unprocessable": 422,
    "unprocessableContent": 422,
    "tooManyRequests": 429,
    "internalServerError": 500,
    "notImplemented": 501,
    "serviceUnavailable": 503,
}
_MAX_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an assert holds, and a sentence that says what was found."""

    holds: bool
    message: str


class Scope(Protocol):
    """What of a run an assert looks at."""

    @property
    def last(self) -> Exchange | None:
        """The last operation's request and answer."""

    @property
    def resolve(self) -> Callable[[str], substitution.Value]:
        """The value of a variable."""

    @property
    def script(self) -> Resource:
        """The TestScript."""

    @property
    def profiles(self) -> Sequence[Profiles]:
        """The profiles at hand."""

    def content(self, source_id: str) -> Content:
        """What a source id holds."""


def judge(assertion: Element, scope: Scope) -> Verdict:
    """The verdict; of several checks in one assert all must hold.

    Raises ScriptError, NotSupported.
    """
    verdicts = []
    for name, check in _CHECKS.items():
        if assertion.get(name) is not None:
            try:
                verdicts.append(check(assertion, scope))
            except NoResource as error:
                verdicts.append(Verdict(False, f"{_whose(assertion)}: {error}"))
    if not verdicts:
        raise ScriptError("the assert checks nothing")
    failed = [one for one in verdicts if not one.holds]
    return Verdict(not failed, "; ".join(one.message for one in failed or verdicts))


def _whose(assertion: Element) -> str:
    source = as_str(assertion.get("sourceId"))
    return source or ("the request" if assertion.get("direction") == "request" else "the answer")


def _source(assertion: Element, scope: Scope) -> Content:
    source = as_str(assertion.get("sourceId"))
    if source:
        return scope.content(source)
    last = _last(scope)
    return last.sent if assertion.get("direction") == "request" else _answer(last)


def _last(scope: Scope) -> Exchange:
    if scope.last is None:
        raise NothingYet("no operation has run that this assert could look at")
    return scope.last


def _answer(last: Exchange) -> Answer:
    if last.answer is None:
        raise NothingYet("the last operation has no answer")
    return last.answer


def _operator(assertion: Element, default: str = "equals") -> str:
    return as_str(assertion.get("operator")) or default


def _compared(what: str, operator: str, actual: Sequence[str], expected: str | None) -> Verdict:
    holds = operators.holds(operator, actual, expected)
    shown = ", ".join(f"'{one}'" for one in actual) or "not there"
    wanted = f" '{expected}'" if expected is not None and not operator.endswith("mpty") else ""
    words = operators.WORDS[operator]
    return Verdict(holds, f"{what} must {words}{_short(wanted)}: it is {_short(shown)}")


def _short(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _text(assertion: Element, name: str, scope: Scope) -> str:
    value = assertion.get(name)
    return substitution.plain(paths.text_of(value), scope.resolve)


def _value(assertion: Element, scope: Scope) -> str | None:
    return None if assertion.get("value") is None else _text(assertion, "value", scope)


def _response(assertion: Element, scope: Scope) -> Verdict:
    code = as_str(assertion.get("response"))
    if code not in RESPONSES:
        raise ScriptError(f"'{code[:40]}' is no response code of an assert")
    answer = _answered(assertion, scope)
    return _compared("the status", _operator(assertion), [str(answer.status)], str(RESPONSES[code]))


def _response_code(assertion: Element, scope: Scope) -> Verdict:
    expected = _text(assertion, "responseCode", scope)
    actual = str(_answered(assertion, scope).status)
    return _compared("the status", _operator(assertion), [actual], expected)


def _answered(assertion: Element, scope: Scope) -> Answer:
    source = as_str(assertion.get("sourceId"))
    content = scope.content(source) if source else _answer(_last(scope))
    if not isinstance(content, Answer):
        raise ScriptError(f"'{source}' is no answer, so it has no status")
    return content


def _content_type(assertion: Element, scope: Scope) -> Verdict:
    content = _source(assertion, scope)
    full = content.header("Content-Type") or content.media_type
    operator = _operator(assertion)
    given = _text(assertion, "contentType", scope)
    if operator in ("contains", "notContains"):
        return _compared("the content type", operator, [full], given)
    base = full.split(";", 1)[0].strip().lower()
    wanted = ",".join(
        media_type(part.strip()).split(";", 1)[0].lower() for part in given.split(",")
    )
    return _compared("the content type", operator, [base] if base else [], wanted)


def _header_field(assertion: Element, scope: Scope) -> Verdict:
    name = _text(assertion, "headerField", scope)
    actual = _source(assertion, scope).header(name)
    expected = _value(assertion, scope)
    compare = as_str(assertion.get("compareToSourceId"))
    if expected is None and compare:
        expected = scope.content(compare).header(name) or ""
    found = [] if actual is None else [actual]
    return _compared(f"the header {name[:100]}", _operator(assertion), found, expected)


def _expression(assertion: Element, scope: Scope) -> Verdict:
    text = as_str(assertion.get("expression"))
    filled = substitution.into_expression(text, scope.resolve)
    actual = paths.by_fhirpath(filled, _source(assertion, scope))
    expected = _expected(assertion, scope, filled)
    if expected is None and "operator" not in assertion:
        shown = ", ".join(actual) or "empty"
        return Verdict(actual == ["true"], f"{_short(filled)} must be true: it is {_short(shown)}")
    return _against(assertion, _short(filled), actual, expected)


def _path(assertion: Element, scope: Scope) -> Verdict:
    text = as_str(assertion.get("path"))
    backslash = paths.kind(text) == "fhirpath"
    filled = substitution.into_expression(text, scope.resolve, backslash=backslash)
    actual = paths.at_path(filled, _source(assertion, scope))
    expected = _expected(assertion, scope, filled)
    if expected is None and "operator" not in assertion:
        return Verdict(actual == ["true"], f"{_short(filled)} must be true: it is {actual}")
    return _against(assertion, _short(filled), actual, expected)


def _expected(assertion: Element, scope: Scope, own: str) -> list[str] | None:
    """What a value is compared with: `value`, or what another source holds at the same place or at
    one of its own."""
    value = _value(assertion, scope)
    if value is not None:
        return [value]
    compare = as_str(assertion.get("compareToSourceId"))
    if not compare:
        return None
    content = scope.content(compare)
    text = as_str(assertion.get("compareToSourceExpression"))
    if text:
        return paths.by_fhirpath(substitution.into_expression(text, scope.resolve), content)
    text = as_str(assertion.get("compareToSourcePath"))
    if not text:
        return (
            paths.at_path(own, content) if "path" in assertion else paths.by_fhirpath(own, content)
        )
    backslash = paths.kind(text) == "fhirpath"
    return paths.at_path(
        substitution.into_expression(text, scope.resolve, backslash=backslash), content
    )


def _against(
    assertion: Element, what: str, actual: list[str], expected: list[str] | None
) -> Verdict:
    operator = _operator(assertion)
    if expected is None:
        return _compared(what, operator, actual, None)
    if len(expected) == 1:
        return _compared(what, operator, actual, expected[0])
    if operator not in ("equals", "notEquals"):
        raise ScriptError(
            f"'{operator}' needs one value to compare with, there are {len(expected)}"
        )
    if not expected and not actual:
        raise ScriptError(f"{what} is in neither of the two")
    same = actual == expected
    return Verdict(
        same == (operator == "equals"),
        f"{what} must {operators.WORDS[operator]} {_short(str(expected))}: "
        f"it is {_short(str(actual))}",
    )


def _compare_only(assertion: Element, scope: Scope) -> Verdict:
    """compareToSourceId with only the place in the other source: it is looked for at the same."""
    text = as_str(assertion.get("compareToSourceExpression"))
    if text:
        filled = substitution.into_expression(text, scope.resolve)
        actual = paths.by_fhirpath(filled, _source(assertion, scope))
    else:
        text = as_str(assertion.get("compareToSourcePath"))
        backslash = paths.kind(text) == "fhirpath"
        filled = substitution.into_expression(text, scope.resolve, backslash=backslash)
        actual = paths.at_path(filled, _source(assertion, scope))
    return _against(assertion, _short(filled), actual, _expected(assertion, scope, filled))


def _compare(assertion: Element, scope: Scope) -> Verdict:
    if any(name in assertion for name in ("expression", "path", "headerField")):
        return Verdict(True, "compared above")
    if not any(k in assertion for k in ("compareToSourceExpression", "compareToSourcePath")):
        raise ScriptError("compareToSourceId without anything to compare")
    return _compare_only(assertion, scope)


def _minimum(assertion: Element, scope: Scope) -> Verdict:
    wanted = paths.resource_of(scope.content(as_str(assertion.get("minimumId"))))
    actual = paths.resource_of(_source(assertion, scope))
    lacking = minimum.missing(wanted, actual)
    if not lacking:
        return Verdict(True, "everything of the minimum is there")
    return Verdict(False, f"of the minimum is missing or different: {', '.join(lacking)}")


def _navigation(assertion: Element, scope: Scope) -> Verdict:
    if not flag(assertion, "navigationLinks", False):
        raise ScriptError("navigationLinks is false, so the assert checks nothing")
    last = _last(scope)
    found = navigation.problems(paths.resource_of(_source(assertion, scope)), last.sent.url)
    return Verdict(not found, "; ".join(found) or "the links are complete")


def _request_method(assertion: Element, scope: Scope) -> Verdict:
    expected = _text(assertion, "requestMethod", scope).upper()
    actual = _last(scope).sent.method
    return _compared("the request's method", _operator(assertion), [actual], expected)


def _request_url(assertion: Element, scope: Scope) -> Verdict:
    expected = _text(assertion, "requestURL", scope)
    url = _last(scope).sent.url
    operator = _operator(assertion)
    actual = [url] if not url.endswith(expected) else [expected]
    return _compared("the request's address", operator, actual, expected)


def _resource(assertion: Element, scope: Scope) -> Verdict:
    expected = _text(assertion, "resource", scope)
    actual = as_str(paths.resource_of(_source(assertion, scope)).get("resourceType"))
    return _compared("the resource", _operator(assertion), [actual], expected)


def _validate(assertion: Element, scope: Scope) -> Verdict:
    profile = validation.canonical(scope.script, as_str(assertion.get("validateProfileId")))
    resource = paths.resource_of(_source(assertion, scope))
    found = validation.problems(resource, profile, scope.profiles)
    if found:
        return Verdict(False, _short(f"not valid by {profile}: {'; '.join(found[:5])}"))
    return Verdict(True, f"valid by {profile}: {validation.PASSED}")


_CHECKS: dict[str, Callable[[Element, Scope], Verdict]] = {
    "response": _response,
    "responseCode": _response_code,
    "contentType": _content_type,
    "headerField": _header_field,
    "resource": _resource,
    "requestMethod": _request_method,
    "requestURL": _request_url,
    "navigationLinks": _navigation,
    "minimumId": _minimum,
    "validateProfileId": _validate,
    "expression": _expression,
    "path": _path,
    "compareToSourceId": _compare,
}
#: What an assert may check; one that has none of these checks nothing.
CHECKS = tuple(_CHECKS)
__all__ = ["CHECKS", "RESPONSES", "NotSupported", "Scope", "Verdict", "judge"]
