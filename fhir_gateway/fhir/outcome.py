"""OperationOutcome: the one shape in which this gateway says what is wrong.

https://hl7.org/fhir/R4/operationoutcome.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fhir_gateway.fhir.types import Coding, Element, Resource, as_dict, as_list

SEVERITIES = ("fatal", "error", "warning", "information")


def issue(
    severity: str,
    code: str,
    diagnostics: str,
    *,
    expression: Sequence[str] = (),
    coding: Sequence[Coding] = (),
) -> Element:
    """One issue. `severity` and `code` are of the R4 value sets issue-severity and issue-type."""
    result: Element = {"severity": severity, "code": code}
    if coding:
        result["details"] = {"coding": list(coding)}
    result["diagnostics"] = diagnostics
    if expression:
        result["expression"] = list(expression)
    return result


def outcome(issues: Iterable[Element]) -> Resource:
    """An OperationOutcome with these issues, or with one that says all is well."""
    found = list(issues)
    if not found:
        found = [issue("information", "informational", "All OK")]
    return {"resourceType": "OperationOutcome", "issue": found}


def single(severity: str, code: str, diagnostics: str) -> Resource:
    """An OperationOutcome with one issue."""
    return outcome([issue(severity, code, diagnostics)])


def has_errors(resource: Resource) -> bool:
    """Whether any issue is an error or fatal."""
    return any(
        as_dict(i).get("severity") in ("error", "fatal") for i in as_list(resource.get("issue"))
    )
