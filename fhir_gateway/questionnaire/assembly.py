"""`$assemble`: a modular Questionnaire and its modules become one.

https://hl7.org/fhir/uv/sdc/modular.html#assemble. A placeholder is an item of type display with
sdc-questionnaire-subQuestionnaire; the items of the module it names take its place, the module's
contained resources come along.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from fhir_gateway.errors import Refused
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str, extension_value
from fhir_gateway.questionnaire import extensions as ext

MAX_DEPTH = 10


class NotAssembled(Refused):
    """A module is missing, includes itself, or clashes with another."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="not-assembled")


def assemble(questionnaire: Resource, resolve: Callable[[str], Resource | None]) -> Resource:
    """The questionnaire with every module in its place; a new dict, the input is untouched.

    `resolve`: finds a Questionnaire by canonical. Raises NotAssembled.
    """
    result = copy.deepcopy(questionnaire)
    parts = _Parts(resolve)
    result["item"] = parts.expand(result.get("item"), ())
    if not parts.used:
        return result
    if parts.contained:
        result["contained"] = [*as_list(result.get("contained")), *parts.contained.values()]
    result["extension"] = [
        *(
            e
            for e in as_list(result.get("extension"))
            if as_dict(e).get("url") != ext.ASSEMBLE_EXPECTATION
        ),
        *({"url": ext.ASSEMBLED_FROM, "valueCanonical": used} for used in parts.used),
    ]
    _refuse_duplicates(result)
    return result


class _Parts:
    """What one assembly has gathered so far."""

    def __init__(self, resolve: Callable[[str], Resource | None]) -> None:
        self._resolve = resolve
        self.used: list[str] = []
        self.contained: dict[str, Resource] = {}

    def expand(self, items: Any, trail: tuple[str, ...]) -> list[Element]:
        result: list[Element] = []
        for item in map(as_dict, as_list(items)):
            canonical = as_str(extension_value(item, ext.SUB_QUESTIONNAIRE))
            if canonical:
                result.extend(self._module(canonical, trail))
                continue
            if "item" in item:
                item["item"] = self.expand(item["item"], trail)
            result.append(item)
        return result

    def _module(self, canonical: str, trail: tuple[str, ...]) -> list[Element]:
        if canonical in trail or len(trail) >= MAX_DEPTH:
            raise NotAssembled(f"module {canonical} includes itself: {' > '.join(trail)}")
        module = self._resolve(canonical)
        if module is None or module.get("resourceType") != "Questionnaire":
            raise NotAssembled(f"module {canonical} is not known here")
        if canonical not in self.used:
            self.used.append(canonical)
        module = copy.deepcopy(module)
        for contained in map(as_dict, as_list(module.get("contained"))):
            self._contain(canonical, contained)
        return self.expand(module.get("item"), (*trail, canonical))

    def _contain(self, canonical: str, contained: Resource) -> None:
        name = as_str(contained.get("id"))
        if name in self.contained and self.contained[name] != contained:
            raise NotAssembled(f"module {canonical} contains another '{name}' than one before it")
        self.contained[name] = contained


def _refuse_duplicates(questionnaire: Resource) -> None:
    seen: set[str] = set()
    pending = list(as_list(questionnaire.get("item")))
    while pending:
        item = as_dict(pending.pop())
        link_id = as_str(item.get("linkId"))
        if link_id in seen:
            raise NotAssembled(f"linkId '{link_id}' comes from two modules")
        seen.add(link_id)
        pending.extend(as_list(item.get("item")))
