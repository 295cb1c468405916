"""The names that a script declares and those that it mentions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fhir_gateway.conformance import fixtures, substitution
from fhir_gateway.conformance.script import Script, actions, flag
from fhir_gateway.errors import Refused
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str

_SOURCES = ("sourceId", "targetId", "compareToSourceId", "minimumId")


@dataclass(frozen=True, slots=True)
class Used:
    """What is mentioned: variables, and fixtures or answers."""

    variables: frozenset[str]
    sources: frozenset[str]


@dataclass(frozen=True, slots=True)
class Names:
    """What a script declares. `kept`: answers and requests that its operations keep."""

    fixtures: frozenset[str]
    variables: frozenset[str]
    profiles: frozenset[str]
    kept: frozenset[str]

    @classmethod
    def of(cls, script: Resource) -> Names:
        """The names that a TestScript declares."""
        operations = [as_dict(a.get("operation")) for a in _actions(script)]
        kept = [as_str(o.get(k)) for o in operations for k in ("responseId", "requestId")]
        return cls(
            _ids(script, "fixture", "id"),
            _ids(script, "variable", "name"),
            _ids(script, "profile", "id") | _ids(script, "_profile", "id"),
            frozenset(filter(None, kept)),
        )

    def mentioned(self, script: Resource) -> list[str]:
        """The variables that stand in what a run substitutes, each once."""
        parts = [script.get(k) for k in ("setup", "test", "teardown", "variable")]
        return list(dict.fromkeys(n for text in _texts(parts) for n in substitution.names_in(text)))

    def used(self, script: Script) -> Used:
        """What is used of what is declared, in fixtures as well."""
        resource = script.resource
        variables = set(self.mentioned(resource))
        sources = set()
        for fixture in map(as_dict, as_list(resource.get("fixture"))):
            if flag(fixture, "autocreate", False):
                sources.add(as_str(fixture.get("id")))
            try:
                text = fixtures.raw(script, fixture).body.decode("utf-8", "replace")
            except Refused:
                continue
            variables.update(substitution.names_in(text))
        parts = [as_dict(v) for v in as_list(resource.get("variable"))]
        for action in _actions(resource):
            parts += [as_dict(action.get("operation")), as_dict(action.get("assert"))]
        sources.update(as_str(part.get(name)) for part in parts for name in _SOURCES)
        return Used(frozenset(variables), frozenset(sources))


def _actions(script: Resource) -> list[Element]:
    phases = [script.get("setup"), *as_list(script.get("test")), script.get("teardown")]
    return [action for phase in phases for action in actions(phase)]


def _ids(script: Resource, element: str, name: str) -> frozenset[str]:
    found = (as_str(as_dict(one).get(name)) for one in as_list(script.get(element)))
    return frozenset(filter(None, found))


def _texts(value: Any) -> Iterator[str]:
    """Every text within, but descriptions, which no run substitutes."""
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, str):
            yield current
        elif isinstance(current, list):
            pending.extend(reversed(current))
        elif isinstance(current, dict):
            skipped = ("description", "label", "hint", "name", "extension")
            pending.extend(v for k, v in reversed(current.items()) if k not in skipped)
