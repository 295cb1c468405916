"""A mapping target: templates, and how they hang on a Questionnaire. An overlay.

A target makes a derived Questionnaire (SDC: extraction extensions may be added in one), which is
what is extracted from and what `mapping export` writes for other engines. manifest.py reads targets
from folders.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fhir_gateway.errors import Refused
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.mapping.extensions import ALLOCATE_ID, EXTRACT


class TargetRefused(Refused):
    """The folder is not a mapping target; the message says what is wrong."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="mapping-refused")


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """One use of a template: the item it hangs on ('' is the Questionnaire), and its request."""

    resource: Resource
    anchor: str
    allocate: tuple[str, ...]
    parts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Example:
    """A golden example: what goes in and what must come out."""

    name: str
    response: Resource
    context: dict[str, Any]
    expected: Resource


@dataclass(frozen=True, slots=True)
class Target:
    """A mapping target, read. `bundle_type`: `transaction`, or `message`. `documents`: whether
    templates use `%document`. `digest`: of all its files, for Provenance."""

    name: str
    version: str
    title: str
    applies_to: tuple[str, ...]
    allocate: tuple[str, ...]
    templates: tuple[TemplateUse, ...]
    concept_maps: Mapping[str, Resource]
    digest: str
    sdc_version: str = "4.0.0"
    bundle_type: str = "transaction"
    documents: bool = False
    examples: tuple[Example, ...] = field(default=())

    def applies(self, canonical: str) -> bool:
        """Whether it maps responses to this Questionnaire (`url` or `url|version`)."""
        url = canonical.partition("|")[0]
        return canonical in self.applies_to or url in self.applies_to

    def overlay(self, questionnaire: Resource) -> Resource:
        """The derived Questionnaire: the published one with templates and extraction extensions.

        A template whose anchor is an item of another Questionnaire of the target is left out;
        lint tells when no Questionnaire has the item.
        """
        derived = copy.deepcopy(questionnaire)
        canonical = as_str(derived.get("url"))
        derived["derivedFrom"] = [f"{canonical}|{as_str(derived.get('version'))}"]
        derived["url"] = f"{canonical}-{self.name}"
        items = {as_str(item.get("linkId")): item for item in all_items(derived)}
        for name in self.allocate:
            _extend(derived, {"url": ALLOCATE_ID, "valueString": name})
        for use in self.templates:
            holder = items.get(use.anchor) if use.anchor else derived
            if holder is None:
                continue
            for name in use.allocate:
                _extend(holder, {"url": ALLOCATE_ID, "valueString": name})
            _extend(holder, _extract_extension(use))
            derived.setdefault("contained", []).append(use.resource)
        return derived


def all_items(questionnaire: Resource) -> list[Element]:
    """Every item element of a Questionnaire."""
    found: list[Element] = []
    pending = list(as_list(questionnaire.get("item")))
    for item in map(as_dict, pending):
        found.append(item)
        pending.extend(as_list(item.get("item")))
    return found


def _extract_extension(use: TemplateUse) -> Element:
    parts: list[Element] = [
        {"url": "template", "valueReference": {"reference": f"#{use.resource['id']}"}}
    ]
    parts.extend({"url": key, "valueString": value} for key, value in use.parts.items())
    return {"url": EXTRACT, "extension": parts}


def _extend(holder: Element, extension: Element) -> None:
    holder["extension"] = [*as_list(holder.get("extension")), extension]
