"""The asserts on content: expressions, paths, comparisons, minimum, links, type and profile.

https://hl7.org/fhir/R4/testscript-definitions.html#TestScript.setup.action.assert
"""

from __future__ import annotations

from collections.abc import Callable

from fhir_gateway.conformance import minimum, navigation, operators, paths, substitution, validation
from fhir_gateway.conformance.assert_scope import (
    Scope,
    Verdict,
    compared,
    operator_of,
    sent_of,
    short,
    source_of,
    text_at,
    value_of,
)
from fhir_gateway.conformance.errors import ScriptError
from fhir_gateway.conformance.exchange import Content
from fhir_gateway.fhir.types import Element, as_str


def _expression(assertion: Element, scope: Scope) -> Verdict:
    text = as_str(assertion.get("expression"))
    filled = substitution.into_expression(text, scope.resolve)
    actual = paths.by_fhirpath(filled, source_of(assertion, scope))
    expected = _expected(assertion, scope, filled)
    if expected is None and "operator" not in assertion:
        shown = ", ".join(actual) or "empty"
        return Verdict(actual == ["true"], f"{short(filled)} must be true: it is {short(shown)}")
    return _against(assertion, short(filled), actual, expected)


def _path(assertion: Element, scope: Scope) -> Verdict:
    text = as_str(assertion.get("path"))
    backslash = paths.kind(text) == "fhirpath"
    filled = substitution.into_expression(text, scope.resolve, backslash=backslash)
    actual = paths.at_path(filled, source_of(assertion, scope))
    expected = _expected(assertion, scope, filled)
    if expected is None and "operator" not in assertion:
        return Verdict(actual == ["true"], f"{short(filled)} must be true: it is {actual}")
    return _against(assertion, short(filled), actual, expected)


def _known(scope: Scope, source_id: str) -> Content:
    """What an answer is compared with. Raises ScriptError when it holds no resource: that is not
    the answer's fault."""
    content = scope.content(source_id)
    if content.resource is None:
        raise ScriptError(f"'{source_id}' has no FHIR resource in it. {content.unreadable}")
    return content


def _expected(assertion: Element, scope: Scope, own: str) -> list[str] | None:
    """What a value is compared with: `value`, or what another source holds at the same place or at
    one of its own."""
    value = value_of(assertion, scope)
    if value is not None:
        return [value]
    compare = as_str(assertion.get("compareToSourceId"))
    if not compare:
        return None
    content = _known(scope, compare)
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
    operator = operator_of(assertion)
    if expected is None:
        return compared(what, operator, actual, None)
    if len(expected) == 1:
        return compared(what, operator, actual, expected[0])
    if operator not in ("equals", "notEquals"):
        raise ScriptError(
            f"'{operator}' needs one value to compare with, there are {len(expected)}"
        )
    if not expected and not actual:
        raise ScriptError(f"{what} is in neither of the two")
    same = actual == expected
    return Verdict(
        same == (operator == "equals"),
        f"{what} must {operators.WORDS[operator]} {short(str(expected))}: "
        f"it is {short(str(actual))}",
    )


def _compare_only(assertion: Element, scope: Scope) -> Verdict:
    """compareToSourceId with only the place in the other source: it is looked for at the same."""
    text = as_str(assertion.get("compareToSourceExpression"))
    if text:
        filled = substitution.into_expression(text, scope.resolve)
        actual = paths.by_fhirpath(filled, source_of(assertion, scope))
    else:
        text = as_str(assertion.get("compareToSourcePath"))
        backslash = paths.kind(text) == "fhirpath"
        filled = substitution.into_expression(text, scope.resolve, backslash=backslash)
        actual = paths.at_path(filled, source_of(assertion, scope))
    return _against(assertion, short(filled), actual, _expected(assertion, scope, filled))


def _compare(assertion: Element, scope: Scope) -> Verdict:
    if any(name in assertion for name in ("expression", "path", "headerField")):
        return Verdict(True, "compared above")
    if not any(k in assertion for k in ("compareToSourceExpression", "compareToSourcePath")):
        raise ScriptError("compareToSourceId without anything to compare")
    return _compare_only(assertion, scope)


def _minimum(assertion: Element, scope: Scope) -> Verdict:
    fixture = _known(scope, as_str(assertion.get("minimumId")))
    wanted = paths.resource_of(fixture)
    if fixture.local_id:  # which names it within the script, and says nothing of the answer
        wanted = {name: value for name, value in wanted.items() if name != "id"}
    actual = paths.resource_of(source_of(assertion, scope))
    lacking = minimum.missing(wanted, actual)
    if not lacking:
        return Verdict(True, "everything of the minimum is there")
    return Verdict(False, f"of the minimum is missing or different: {', '.join(lacking)}")


def _navigation(assertion: Element, scope: Scope) -> Verdict:
    source = source_of(assertion, scope)
    found = navigation.problems(paths.resource_of(source), sent_of(assertion, scope).url)
    return Verdict(not found, "; ".join(found) or "the links are complete")


def _resource(assertion: Element, scope: Scope) -> Verdict:
    expected = text_at(assertion, "resource", scope)
    actual = as_str(paths.resource_of(source_of(assertion, scope)).get("resourceType"))
    return compared("the resource", operator_of(assertion), [actual], expected)


def _validate(assertion: Element, scope: Scope) -> Verdict:
    profile = validation.canonical(scope.script, as_str(assertion.get("validateProfileId")))
    resource = paths.resource_of(source_of(assertion, scope))
    found = validation.problems(resource, profile, scope.profiles)
    if found:
        return Verdict(False, short(f"not valid by {profile}: {'; '.join(found[:5])}"))
    return Verdict(True, f"valid by {profile}: {validation.PASSED}")


CHECKS: dict[str, Callable[[Element, Scope], Verdict]] = {
    "resource": _resource,
    "navigationLinks": _navigation,
    "minimumId": _minimum,
    "validateProfileId": _validate,
    "expression": _expression,
    "path": _path,
    "compareToSourceId": _compare,
}
