"""Whether expressions and paths parse; variables in them count as a name."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_gateway.conformance import json_path, paths, substitution, x_path
from fhir_gateway.conformance.errors import NotSupported, ScriptError
from fhir_gateway.conformance.finding import ERROR, WARNING, Finding
from fhir_gateway.conformance.substitution import Value
from fhir_gateway.errors import Refused
from fhir_gateway.fhir import path as fhir_path
from fhir_gateway.fhir.types import Resource

#: What a server answers when nothing is as asked: an expression that is true of it says little.
_ANSWERS: tuple[Resource, ...] = (
    {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "processing", "diagnostics": "No"}],
    },
    {"resourceType": "Basic"},
)


def _filled(text: str) -> str:
    return substitution.plain(text, lambda _name: Value("x", authored=True))


def expression(place: str, text: str) -> Iterator[Finding]:
    """Findings of a FHIRPath expression."""
    try:
        fhir_path.compile_expression(_filled(text))
    except Refused as error:
        yield Finding(ERROR, place, str(error))


def path(place: str, text: str) -> Iterator[Finding]:
    """Findings of a path, by the language that it is written in."""
    kind = paths.kind(text)
    if kind == "fhirpath":
        yield from expression(place, text)
        return
    try:
        if kind == "jsonpath":
            json_path.steps(_filled(text))
        else:
            x_path.compiled(_filled(text))
    except NotSupported as error:
        yield Finding(WARNING, place, str(error))
    except ScriptError as error:
        yield Finding(ERROR, place, str(error))


def always_true(text: str) -> bool:
    """Whether an expression is true of answers that have nothing to do with it."""
    try:
        return all(
            fhir_path.plain_all(fhir_path.evaluate(_filled(text), answer)) == [True]
            for answer in _ANSWERS
        )
    except Refused:
        return False
