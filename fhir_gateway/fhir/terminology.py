"""Expansion of ValueSets whose codes are at hand: contained, listed, or from a local CodeSystem.

https://hl7.org/fhir/R4/valueset.html#compositions. What would need a terminology server (filters,
codes of a system that is not here) is reported as not expandable, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fhir_gateway.errors import Refused
from fhir_gateway.fhir.types import Coding, Resource, as_dict, as_list, as_str

#: Finds a resource by canonical (`url` or `url|version`), or None.
Resolve = Callable[[str], Resource | None]

MAX_CODES = 5_000
_MAX_IMPORTS = 10


class NotExpandable(Refused):
    """The codes of a value set cannot be listed from what is at hand."""

    def __init__(self, canonical: str, why: str) -> None:
        super().__init__(f"ValueSet {canonical} cannot be expanded: {why}", code="not-expandable")


def expand(value_set: Resource, resolve: Resolve, *, depth: int = 0) -> list[Coding]:
    """The codings of a value set, in its own order, each with system, code and display.

    Raises NotExpandable.
    """
    name = as_str(value_set.get("url")) or as_str(value_set.get("id"))
    if depth > _MAX_IMPORTS:
        raise NotExpandable(name, "it imports value sets without end")
    expansion = as_dict(value_set.get("expansion"))
    if "contains" in expansion:
        return _limited(name, _flatten_contains(expansion["contains"]))
    compose = as_dict(value_set.get("compose"))
    if not as_list(compose.get("include")):
        raise NotExpandable(name, "it has neither an expansion nor a compose.include")
    codings: dict[tuple[str, str], Coding] = {}
    for include in as_list(compose["include"]):
        for coding in _included(name, as_dict(include), resolve, depth):
            codings.setdefault((coding["system"], coding["code"]), coding)
    for exclude in as_list(compose.get("exclude")):
        for coding in _included(name, as_dict(exclude), resolve, depth):
            codings.pop((coding["system"], coding["code"]), None)
    return _limited(name, codings.values())


def _limited(name: str, codings: Iterable[Coding]) -> list[Coding]:
    result = list(codings)
    if len(result) > MAX_CODES:
        raise NotExpandable(name, f"it has more than {MAX_CODES} codes")
    return result


def _flatten_contains(contains: Any) -> list[Coding]:
    result: list[Coding] = []
    for entry in map(as_dict, as_list(contains)):
        if entry.get("code") and not entry.get("abstract"):
            result.append(_coding(as_str(entry.get("system")), entry))
        result.extend(_flatten_contains(entry.get("contains")))
    return result


def _included(name: str, include: dict[str, Any], resolve: Resolve, depth: int) -> list[Coding]:
    if include.get("filter"):
        raise NotExpandable(name, "it selects codes by a filter")
    system = as_str(include.get("system"))
    found: list[Coding] | None = None
    if system:
        if include.get("concept"):
            code_system = resolve(_canonical(system, include.get("version")))
            found = _listed(system, include["concept"], code_system)
        else:
            found = _whole_system(name, system, include.get("version"), resolve)
    for canonical in as_list(include.get("valueSet")):
        imported = resolve(as_str(canonical))
        if imported is None:
            raise NotExpandable(name, f"ValueSet {canonical} is not known here")
        codings = expand(imported, resolve, depth=depth + 1)
        # Several conditions within one include mean the intersection.
        keys = {(c["system"], c["code"]) for c in codings}
        found = codings if found is None else [c for c in found if _key(c) in keys]
    return found or []


def _key(coding: Coding) -> tuple[str, str]:
    return coding["system"], coding["code"]


def _canonical(url: str, version: Any) -> str:
    return f"{url}|{version}" if version else url


def _listed(system: str, concepts: Any, code_system: Resource | None) -> list[Coding]:
    """Listed codes; a display that the value set leaves out comes from the code system."""
    displays = {c["code"]: c.get("display") for c in _concepts(code_system or {})}
    result = []
    for concept in map(as_dict, as_list(concepts)):
        coding = _coding(system, concept)
        if "display" not in coding and displays.get(coding["code"]):
            coding["display"] = displays[coding["code"]]
        result.append(coding)
    return result


def _whole_system(name: str, system: str, version: Any, resolve: Resolve) -> list[Coding]:
    code_system = resolve(_canonical(system, version))
    if code_system is None or code_system.get("content") not in ("complete", "supplement"):
        raise NotExpandable(name, f"all codes of {system} are needed, and they are not here")
    return [_coding(system, concept) for concept in _concepts(code_system)]


def _concepts(code_system: Resource) -> list[dict[str, Any]]:
    """All concepts of a code system, parents before children."""
    result: list[dict[str, Any]] = []
    pending = list(map(as_dict, as_list(code_system.get("concept"))))
    while pending:
        concept = pending.pop(0)
        if concept.get("code"):
            result.append(concept)
        pending[:0] = map(as_dict, as_list(concept.get("concept")))
    return result


def _coding(system: str, concept: dict[str, Any]) -> Coding:
    coding: Coding = {"system": system, "code": as_str(concept.get("code"))}
    if concept.get("display"):
        coding["display"] = concept["display"]
    return coding
