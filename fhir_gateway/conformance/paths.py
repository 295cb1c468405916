"""Looking into content by FHIRPath, XPath 1.0 or JSONPath; all three are written by authors.

R4 says of `path` only "XPath or JSONPath expression"
(https://hl7.org/fhir/R4/testscript-definitions.html#TestScript.variable.path). Published scripts
also hold FHIRPath there, so what a path looks like decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from fhir_gateway.conformance.errors import NoResource, ScriptError
from fhir_gateway.conformance.exchange import Content
from fhir_gateway.conformance.json_path import find as find_json
from fhir_gateway.conformance.x_path import find as find_xml
from fhir_gateway.conformance.x_path import prefixed
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir import path as fhir_path
from fhir_gateway.fhir.types import Resource

#: `.name[0].family`: JSONPath whose `$` is left out.
_DOTTED = re.compile(r"\.{1,2}[A-Za-z_*\[]")


def kind(expression: str) -> str:
    """`jsonpath`, `xpath` or `fhirpath`, by what an expression of `path` looks like."""
    text = expression.strip()
    if text == "$" or text.startswith(("$.", "$[")):
        return "jsonpath"
    if _DOTTED.match(text):
        return "jsonpath"
    outside = _outside_quotes(text)
    return "xpath" if "/" in outside or "@value" in outside or prefixed(text) else "fhirpath"


def at_path(expression: str, content: Content, *, primitive: bool = False) -> list[str]:
    """The values at a `path`, as texts. `primitive`: objects are none.

    Raises ScriptError, NotSupported.
    """
    language = kind(expression)
    if language == "jsonpath":
        return _texts(expression, find_json(expression, resource_of(content)), primitive=primitive)
    if language == "xpath":
        return find_xml(expression, content)
    return by_fhirpath(expression, content, primitive=primitive)


def by_fhirpath(expression: str, content: Content, *, primitive: bool = False) -> list[str]:
    """The results of a FHIRPath expression, as texts. Raises ScriptError, NotSupported."""
    return _texts(expression, evaluate(expression, resource_of(content)), primitive=primitive)


def _texts(expression: str, values: Sequence[Any], *, primitive: bool) -> list[str]:
    if primitive and any(isinstance(value, (dict, list)) for value in values):
        raise ScriptError(f"'{expression[:200]}' is no primitive value, as a variable must be")
    return [text_of(value) for value in values]


def evaluate(expression: str, resource: Resource) -> list[Any]:
    """The results of a FHIRPath expression as JSON values. Raises ScriptError."""
    try:
        nodes = fhir_path.evaluate(expression, resource, {"resource": resource})
        return fhir_path.plain_all(nodes)
    except fhir_path.PathRefused as error:
        raise ScriptError(str(error)) from None


def resource_of(content: Content) -> Resource:
    """The resource in content. Raises NoResource."""
    resource = content.resource
    if resource is None:
        raise NoResource(content.unreadable)
    return resource


def text_of(value: Any) -> str:
    """A value as FHIR writes it; what is not primitive as JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, (int, Decimal)):
        return str(value)
    try:
        return fhir_json.dump(value).decode()
    except TypeError:
        return str(value)


def _outside_quotes(text: str) -> str:
    parts: Sequence[str] = text.replace('"', "'").split("'")
    return "".join(parts[::2])
