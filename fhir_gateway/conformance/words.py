"""The steps of a script in words, for `explain` and for those who read reports."""

from __future__ import annotations

from fhir_gateway.conformance import operators
from fhir_gateway.conformance.assert_http import RESPONSES
from fhir_gateway.conformance.interactions import interaction, operation_name
from fhir_gateway.conformance.script import Script, actions, flag, stops
from fhir_gateway.fhir.types import Element, as_dict, as_list, as_str


def test_steps(script: Script, index: int) -> list[str]:
    """What a test does, step by step."""
    return [step(action) for action in actions(script.tests[index])]


def step(action: Element) -> str:
    """One action."""
    if isinstance(action.get("operation"), dict):
        return operation(action["operation"])
    return assertion(as_dict(action.get("assert")))


def operation(part: Element) -> str:
    """What an operation sends."""
    code = as_str(as_dict(part.get("type")).get("code"))
    what = interaction(code)
    method = as_str(part.get("method")).upper() or (what.method if what else "")
    name = operation_name(code)
    if not method:
        method = "POST" if part.get("sourceId") else "GET"
    text = f"{method} {_address(part, code, name)}"
    if part.get("sourceId"):
        text += f", sending '{part['sourceId']}'"
    if part.get("accept"):
        text += f", asking for {part['accept']}"
    headers = [as_dict(one) for one in as_list(part.get("requestHeader"))]
    if headers:
        shown = ", ".join(f"{one.get('field')}: {one.get('value')}" for one in headers)
        text += f", with {shown}"
    if part.get("destination", 1) != 1:
        text += f", at the server {part['destination']}"
    if part.get("responseId"):
        text += f"; the answer is kept as '{part['responseId']}'"
    return text


def _address(part: Element, code: str, name: str) -> str:
    if part.get("url"):
        return as_str(part.get("url"))
    base = "[base]" + (f"/{part['resource']}" if part.get("resource") else "")
    params = as_str(part.get("params"))
    if part.get("targetId"):
        base = f"[base]/[type and id of '{part['targetId']}']"
    elif part.get("sourceId") and not part.get("resource") and code in ("create", "update"):
        base = "[base]/[its type]" + ("/[its id]" if code == "update" else "")
    if code == "capabilities":
        return "[base]/metadata"
    if name and f"${name}" not in params:
        return f"{base}/${name}{params}"
    return f"{base}{params}"


def assertion(part: Element) -> str:
    """What an assert demands."""
    found = [text for text in (_check(part, name) for name in _PHRASES) if text]
    compare = as_str(part.get("compareToSourceId"))
    if compare and not any(n in part for n in ("expression", "path", "headerField")):
        place = part.get("compareToSourceExpression") or part.get("compareToSourcePath")
        found.append(f"{place} must {_operator(part)} what '{compare}' has there")
    text = "; ".join(found) or "checks nothing"
    source = as_str(part.get("sourceId"))
    if source:
        text += f" (of '{source}')"
    elif part.get("direction") == "request":
        text += " (of the request)"
    if flag(part, "warningOnly", False):
        text += "; else a warning only"
    elif not stops(part):
        text += "; the test goes on if not"
    return text


_PHRASES = {
    "response": "the status",
    "responseCode": "the status",
    "contentType": "the content type",
    "headerField": "the header",
    "resource": "the resource",
    "requestMethod": "the request's method",
    "requestURL": "the request's address",
    "expression": "",
    "path": "",
    "minimumId": "at least everything of",
    "navigationLinks": "the paging links must be complete",
    "validateProfileId": "it must be valid by the profile",
}


def _check(part: Element, name: str) -> str:
    value = part.get(name)
    if value is None:
        return ""
    phrase = _PHRASES[name]
    if name == "navigationLinks":
        return phrase if flag(part, name, False) else ""
    if name == "minimumId":
        return f"{phrase} '{value}' must be there"
    if name == "validateProfileId":
        return f"{phrase} '{value}'"
    if name in ("headerField", "expression", "path"):
        return f"{phrase} {value} must {_demand(part)}".strip()
    if name == "response":
        value = f"{RESPONSES.get(as_str(value), '?')} ({value})"
    return f"{phrase} must {_operator(part)} {value}"


def _operator(part: Element) -> str:
    operator = as_str(part.get("operator")) or "equals"
    return operators.WORDS.get(operator, operator)


def _demand(part: Element) -> str:
    if part.get("value") is not None:
        return f"{_operator(part)} '{part['value']}'"
    compare = as_str(part.get("compareToSourceId"))
    if compare:
        place = part.get("compareToSourceExpression") or part.get("compareToSourcePath")
        return f"{_operator(part)} {place or 'the same'} of '{compare}'"
    return _operator(part) if part.get("operator") else "be true"
