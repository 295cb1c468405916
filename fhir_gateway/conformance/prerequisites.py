"""Which earlier tests of a script a test needs: those whose answers it looks at, or sends.

By R4 the tests of a script run in order, and a later one may use what an earlier one left under a
responseId or requestId. Running one alone (`--only`, `--failed`) runs these too, without a word.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice

from fhir_gateway.conformance import fixtures, substitution
from fhir_gateway.conformance.script import Script, actions
from fhir_gateway.errors import Refused
from fhir_gateway.fhir.types import Element, as_dict, as_list, as_str

_USES = ("sourceId", "targetId", "compareToSourceId", "minimumId")
_MAKES = ("responseId", "requestId")


def with_needed(script: Script, wanted: Iterable[int]) -> list[int]:
    """The indexes of these tests and of those that they need, in order."""
    needs = _Needs(script)
    found: set[int] = set()
    waiting = list(wanted)
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting.extend(needs.of(index))
    return sorted(found)


class _Needs:
    """What the parts of one script use and make."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._variables = {
            as_str(one.get("name")): one
            for one in map(as_dict, as_list(script.resource.get("variable")))
        }
        self._fixtures = {
            as_str(one.get("id")): one
            for one in map(as_dict, as_list(script.resource.get("fixture")))
        }
        self._made = [_made(test) for test in script.tests]

    def of(self, index: int) -> Iterator[int]:
        """The earlier tests that made, last, what this one uses before it makes it itself; and the
        one whose last answer it looks at."""
        test = self._script.tests[index]
        for name in self._used(test):
            if name in self._made[index]:
                continue
            maker = next((i for i in range(index - 1, -1, -1) if name in self._made[i]), None)
            if maker is not None:
                yield maker
        if self._looks_back(test):
            asks = (i for i in range(index - 1, -1, -1) if _asks(self._script.tests[i]))
            yield from islice(asks, 1)

    def _looks_back(self, test: Element) -> bool:
        """Whether it looks at the last answer before it has one of its own."""
        for action in actions(test):
            if any(_of_last(one) for one in self._mentioned(action)):
                return True
            if isinstance(action.get("operation"), dict):
                return False
            if not as_dict(action.get("assert")).get("sourceId"):
                return True
        return False

    def _used(self, test: Element) -> set[str]:
        """The ids that a test mentions, itself, by its variables or by its fixtures."""
        return _named(test) | {as_str(one.get("sourceId")) for one in self._mentioned(test)}

    def _mentioned(self, part: Element) -> list[Element]:
        """The variables that a test or an action mentions, itself or by fixtures or variables."""
        texts = [json.dumps(part, default=str), *map(self._text, _named(part))]
        seen: dict[str, Element] = {}
        while texts:
            for variable in substitution.names_in(texts.pop()):
                declared = self._variables.get(variable)
                if declared is None or variable in seen:
                    continue
                seen[variable] = declared
                texts.append(json.dumps(declared, default=str))
        return list(seen.values())

    def _text(self, name: str) -> str:
        """The text of a fixture, '' for what is none."""
        fixture = self._fixtures.get(name)
        if fixture is None:
            return ""
        try:
            return fixtures.raw(self._script, fixture).body.decode("utf-8", "replace")
        except Refused:
            return ""


def _of_last(variable: Element) -> bool:
    """Whether its value is looked for in the last answer."""
    looks = any(variable.get(name) for name in ("headerField", "path", "expression"))
    return looks and not variable.get("sourceId")


def _asks(test: Element) -> bool:
    return any(isinstance(action.get("operation"), dict) for action in actions(test))


def _named(part: Element) -> set[str]:
    """The ids that a test, or an action, names."""
    return {as_str(one[use]) for one in _parts(part) for use in _USES if as_str(one.get(use))}


def _parts(test: Element) -> Iterator[Element]:
    """Its operations and asserts; of an action the one that it is."""
    for action in actions(test) or [test]:
        for kind in ("operation", "assert"):
            if isinstance(action.get(kind), dict):
                yield action[kind]


def _made(test: Element) -> set[str]:
    return {as_str(part[make]) for part in _parts(test) for make in _MAKES if part.get(make)}
