"""Expansion of ValueSets whose codes are at hand: contained, listed, or from a local CodeSystem.

https://hl7.org/fhir/R4/valueset.html#compositions. What would need a terminology server (filters,
codes of a system that is not here) is reported as not expandable, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from fhir_gateway.errors import Refused
from fhir_gateway.fhir.types import Coding, Resource, as_dict, as_list, as_str

#: Finds a resource by canonical (`url` or `url|version`), or None.
Resolve = Callable[[str], Resource | None]


class Expander(Protocol):
    """Expands value sets that cannot be expanded from what is at hand (a terminology server)."""

    def expand(self, canonical: str, value_set: Resource | None) -> Resource:
        """The value set with its expansion; `value_set` is the resource where it is at hand.

        Raises NotExpandable.
        """
        ...


MAX_CODES = 5_000
_MAX_IMPORTS = 10
_MAX_DEPTH = 50


class NotExpandable(Refused):
    """The codes of a value set cannot be listed from what is at hand."""

    def __init__(self, canonical: str, why: str) -> None:
        super().__init__(f"ValueSet {canonical} cannot be expanded: {why}", code="not-expandable")


def expand(value_set: Resource, resolve: Resolve, *, language: str = "") -> list[Coding]:
    """The codings of a value set, in its own order, each with system, code and display.

    `language`: of the displays, where a concept has a designation in it; '' is their own.

    Raises NotExpandable.
    """
    return _Expansion(resolve, language).codings(value_set, 0)


class _Expansion:
    """One expansion: value sets that it imports several times are expanded once."""

    def __init__(self, resolve: Resolve, language: str) -> None:
        self._resolve = resolve
        self._language = language.lower()
        self._imported: dict[str, list[Coding]] = {}

    def codings(self, value_set: Resource, depth: int) -> list[Coding]:
        name = as_str(value_set.get("url")) or as_str(value_set.get("id"))
        if depth > _MAX_IMPORTS:
            raise NotExpandable(name, "it imports value sets without end")
        expansion = as_dict(value_set.get("expansion"))
        if "contains" in expansion:
            return _limited(name, self._contained(expansion["contains"], 0))
        compose = as_dict(value_set.get("compose"))
        if not as_list(compose.get("include")):
            raise NotExpandable(name, "it has neither an expansion nor a compose.include")
        found: dict[tuple[str, str], Coding] = {}
        for include in as_list(compose["include"]):
            for coding in self._included(name, as_dict(include), depth):
                found.setdefault(_key(coding), coding)
        for exclude in as_list(compose.get("exclude")):
            for coding in self._included(name, as_dict(exclude), depth):
                found.pop(_key(coding), None)
        return _limited(name, found.values())

    def _contained(self, contains: Any, depth: int) -> list[Coding]:
        result: list[Coding] = []
        if depth > _MAX_DEPTH:
            return result
        for entry in map(as_dict, as_list(contains)):
            if as_str(entry.get("code")) and not entry.get("abstract"):
                result.append(self._coding(as_str(entry.get("system")), entry))
            result.extend(self._contained(entry.get("contains"), depth + 1))
        return result

    def _included(self, name: str, include: dict[str, Any], depth: int) -> list[Coding]:
        if include.get("filter"):
            raise NotExpandable(name, "it selects codes by a filter")
        system = as_str(include.get("system"))
        found: list[Coding] | None = None
        if system:
            canonical = _canonical(system, include.get("version"))
            if include.get("concept"):
                found = self._listed(system, include["concept"], self._resolve(canonical))
            else:
                found = self._whole_system(name, system, canonical)
        for canonical in map(as_str, as_list(include.get("valueSet"))):
            # Several conditions within one include mean the intersection.
            codings = self._import(name, canonical, depth)
            keys = set(map(_key, codings))
            found = codings if found is None else [c for c in found if _key(c) in keys]
        return found or []

    def _import(self, name: str, canonical: str, depth: int) -> list[Coding]:
        if canonical not in self._imported:
            imported = self._resolve(canonical)
            if imported is None:
                raise NotExpandable(name, f"ValueSet {canonical} is not known here")
            self._imported[canonical] = self.codings(imported, depth + 1)
        return self._imported[canonical]

    def _listed(self, system: str, concepts: Any, code_system: Resource | None) -> list[Coding]:
        """Listed codes; a display that the value set leaves out comes from the code system."""
        known = {as_str(c["code"]): c for c in _concepts(code_system or {})}
        result = []
        for concept in map(as_dict, as_list(concepts)):
            coding = self._coding(system, concept)
            in_system = known.get(coding["code"], {})
            if "display" not in coding and in_system:
                coding = self._coding(system, {**in_system, **concept})
            result.append(coding)
        return result

    def _whole_system(self, name: str, system: str, canonical: str) -> list[Coding]:
        code_system = self._resolve(canonical)
        if code_system is None or code_system.get("content") not in ("complete", "supplement"):
            raise NotExpandable(name, f"all codes of {system} are needed, and they are not here")
        return [self._coding(system, concept) for concept in _concepts(code_system)]

    def _coding(self, system: str, concept: dict[str, Any]) -> Coding:
        coding: Coding = {"system": system, "code": as_str(concept.get("code"))}
        display = self._designation(concept) or as_str(concept.get("display"))
        if display:
            coding["display"] = display
        return coding

    def _designation(self, concept: dict[str, Any]) -> str:
        if not self._language:
            return ""
        words = {
            as_str(d.get("language")).lower(): as_str(d.get("value"))
            for d in map(as_dict, as_list(concept.get("designation")))
        }
        return words.get(self._language) or words.get(self._language.split("-")[0], "")


def _limited(name: str, codings: Iterable[Coding]) -> list[Coding]:
    result = list(codings)
    if len(result) > MAX_CODES:
        raise NotExpandable(name, f"it has more than {MAX_CODES} codes")
    return result


def _key(coding: Coding) -> tuple[str, str]:
    return coding["system"], coding["code"]


def _canonical(url: str, version: Any) -> str:
    return f"{url}|{version}" if version else url


def _concepts(code_system: Resource) -> list[dict[str, Any]]:
    """All concepts of a code system, parents before children."""
    result: list[dict[str, Any]] = []
    pending = [as_dict(c) for c in reversed(as_list(code_system.get("concept")))]
    while pending:
        concept = pending.pop()
        if as_str(concept.get("code")):
            result.append(concept)
        pending.extend(as_dict(c) for c in reversed(as_list(concept.get("concept"))))
    return result
