"""The asserts on HTTP: status, headers, content type, method and address.

https://hl7.org/fhir/R4/testscript-definitions.html#TestScript.setup.action.assert
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from fhir_gateway.conformance import operators
from fhir_gateway.conformance.assert_scope import (
    Scope,
    Verdict,
    answer_of,
    compared,
    last_of,
    operator_of,
    sent_of,
    short,
    source_of,
    text_at,
    value_of,
)
from fhir_gateway.conformance.errors import ScriptError
from fhir_gateway.conformance.exchange import Answer
from fhir_gateway.conformance.requests import media_type
from fhir_gateway.fhir.types import Element, as_str

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


def _response(assertion: Element, scope: Scope) -> Verdict:
    code = as_str(assertion.get("response"))
    if code not in RESPONSES:
        raise ScriptError(f"'{code[:40]}' is no response code of an assert")
    answer = _answered(assertion, scope)
    return compared(
        "the status", operator_of(assertion), [str(answer.status)], str(RESPONSES[code])
    )


def _response_code(assertion: Element, scope: Scope) -> Verdict:
    expected = text_at(assertion, "responseCode", scope)
    actual = str(_answered(assertion, scope).status)
    return compared("the status", operator_of(assertion), [actual], expected)


def _answered(assertion: Element, scope: Scope) -> Answer:
    source = as_str(assertion.get("sourceId"))
    content = scope.content(source) if source else answer_of(last_of(scope))
    if not isinstance(content, Answer):
        raise ScriptError(f"'{source}' is no answer, so it has no status")
    return content


def _content_type(assertion: Element, scope: Scope) -> Verdict:
    content = source_of(assertion, scope)
    full = content.header("Content-Type") or content.media_type
    operator = operator_of(assertion)
    given = text_at(assertion, "contentType", scope)
    if operator in ("contains", "notContains"):
        return compared("the content type", operator, [full], given)
    if not full:
        return compared("the content type", operator, [], given)
    kinds = [_kind(part) for part in given.split(",")]
    own, named = _kind(full)
    parameters = {"charset": "utf-8", **named}
    shown = ",".join(kind + "".join(f";{k}={v}" for k, v in more.items()) for kind, more in kinds)
    # Of its parameters those count that the assert names.
    fits = [kind == own and more.items() <= parameters.items() for kind, more in kinds]
    actual = shown.split(",")[fits.index(True)] if any(fits) else full
    return compared("the content type", operator, [actual], shown)


def _kind(text: str) -> tuple[str, dict[str, str]]:
    """A media type, or a short name of one, and its parameters. FHIR is always in UTF-8
    (https://hl7.org/fhir/R4/http.html#mime-type), so that is what is meant where none is named."""
    kind, *parts = (part.strip() for part in text.split(";"))
    pairs = (part.lower().replace('"', "").partition("=") for part in parts if part)
    return media_type(kind).lower(), {name.strip(): value.strip() for name, _, value in pairs}


def _header_field(assertion: Element, scope: Scope) -> Verdict:
    name = text_at(assertion, "headerField", scope)
    actual = source_of(assertion, scope).header(name)
    expected = value_of(assertion, scope)
    compare = as_str(assertion.get("compareToSourceId"))
    if expected is None and compare:
        expected = scope.content(compare).header(name) or ""
    found = [] if actual is None else [actual]
    return compared(f"the header {name[:100]}", operator_of(assertion), found, expected)


def _request_method(assertion: Element, scope: Scope) -> Verdict:
    expected = text_at(assertion, "requestMethod", scope).upper()
    actual = sent_of(assertion, scope).method
    return compared("the request's method", operator_of(assertion), [actual], expected)


def _request_url(assertion: Element, scope: Scope) -> Verdict:
    expected = text_at(assertion, "requestURL", scope)
    url = sent_of(assertion, scope).url
    operator = operator_of(assertion)
    holds = operators.holds(operator, _said_as(url, operator, expected), expected)
    words = f"the request's address must {operators.WORDS[operator]} '{short(expected)}'"
    return Verdict(holds, f"{words}: it is '{short(url)}'")


def _said_as(url: str, operator: str, expected: str) -> list[str]:
    """The ways to say an address: whole or its path, with its query or without, as sent or decoded;
    and what is expected itself where that is how it ends, as scripts say that do not know the
    base."""
    split = urlsplit(url)
    query = f"?{split.query}" if split.query else ""
    ways = [url, url.partition("?")[0], split.path + query, split.path]
    ways = list(dict.fromkeys([*ways, *map(unquote, ways)]))
    asked = expected.split(",") if operator in ("in", "notIn") else [expected]
    for part in filter(None, map(str.strip, asked)):
        tail = part if part[0] in "/?" else f"/{part}"
        if any(way.endswith(tail) for way in ways):
            ways.append(part)
    return ways


CHECKS: dict[str, Callable[[Element, Scope], Verdict]] = {
    "response": _response,
    "responseCode": _response_code,
    "contentType": _content_type,
    "headerField": _header_field,
    "requestMethod": _request_method,
    "requestURL": _request_url,
}
