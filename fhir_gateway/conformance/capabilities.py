"""metadata.capability: what a server must say of itself for a script to be run.

R4: "If server does not meet at a minimum the referenced capability statement, then all tests in
this script are skipped"
(https://hl7.org/fhir/R4/testscript-definitions.html#TestScript.metadata.capability.capabilities).
`required` says that the script needs it, `validated` that the engine is to look whether it is so.
Compared are the types, interactions, search parameters, operations and conditional interactions of
`rest`; words and addresses are not.
"""

from __future__ import annotations

from collections.abc import Iterator

from fhir_gateway.conformance import fixtures
from fhir_gateway.conformance.script import Script, flag
from fhir_gateway.errors import Refused
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str

_CONDITIONAL = ("conditionalCreate", "conditionalUpdate", "versioning", "conditionalDelete")
_NAMED = (("interaction", "code"), ("searchParam", "name"), ("operation", "name"))
_MOST_NAMED = 5


def required(script: Script) -> Iterator[tuple[int, Resource | None]]:
    """The statements that a script requires and wants looked at, each with the index of its
    destination; None for one that is neither contained nor beside the script, so that nothing can
    be compared."""
    metadata = as_dict(script.resource.get("metadata"))
    for capability in map(as_dict, as_list(metadata.get("capability"))):
        if not (flag(capability, "required", False) and flag(capability, "validated", False)):
            continue
        destination = capability.get("destination", 1)
        reference = as_str(capability.get("capabilities"))
        yield destination if isinstance(destination, int) else 1, _statement(script, reference)


def _statement(script: Script, reference: str) -> Resource | None:
    try:
        content = fixtures.raw(script, {"resource": {"reference": reference}})
    except Refused:
        return None
    resource = content.resource or {}
    return resource if resource.get("resourceType") == "CapabilityStatement" else None


def lacking(wanted: Resource, actual: Resource) -> list[str]:
    """What of a statement another does not have, at most a few."""
    has = _server(actual)
    found = [*_missing("", _server(wanted), has)]
    by_type = _by_type(has)
    for kind, resource in _by_type(_server(wanted)).items():
        if kind not in by_type:
            found.append(kind)
        else:
            found += _missing(f"{kind} ", resource, by_type[kind])
    return found[:_MOST_NAMED]


def _server(statement: Resource) -> Element:
    """What it says of itself as a server."""
    sides = [as_dict(rest) for rest in as_list(statement.get("rest"))]
    return next((side for side in sides if side.get("mode") != "client"), {})


def _by_type(rest: Element) -> dict[str, Element]:
    return {as_str(one.get("type")): one for one in map(as_dict, as_list(rest.get("resource")))}


def _missing(of: str, wanted: Element, actual: Element) -> Iterator[str]:
    for element, key in _NAMED:
        has = {as_dict(one).get(key) for one in as_list(actual.get(element))}
        for one in map(as_dict, as_list(wanted.get(element))):
            if one.get(key) not in has:
                yield f"{of}{element} {one.get(key)}"
    for name in _CONDITIONAL:
        asked = wanted.get(name)
        if asked not in (None, False, "not-supported", "no-version", actual.get(name)):
            yield f"{of}{name} {'' if asked is True else asked}".strip()
