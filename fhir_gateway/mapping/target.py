"""A mapping target: one folder of templates, and its manifest. An overlay on a Questionnaire.

The folder (docs/mappings.md):

    manifest.toml       name, version, title, sdc-version, applies-to, and one [[template]] each
    <Resource>.json     a template: plain FHIR JSON with the SDC extensions
    ConceptMap-*.json   codes; each is a variable named after its id
    examples/           <case>.response.json, <case>.context.json, <case>.expected.json

A target makes a derived Questionnaire (SDC: extraction extensions may be added in one), which is
what is extracted from and what `mapping export` writes for other engines.
"""

from __future__ import annotations

import copy
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fhir_gateway.errors import Refused
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.mapping.extensions import ALLOCATE_ID, EXTRACT

MANIFEST = "manifest.toml"
_REQUEST_PARTS = ("fullUrl", "resourceId", "ifNoneExist", "ifMatch", "ifNoneMatch")


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
    """A mapping target, read. `digest`: of all its files, for Provenance."""

    name: str
    version: str
    title: str
    applies_to: tuple[str, ...]
    allocate: tuple[str, ...]
    templates: tuple[TemplateUse, ...]
    concept_maps: Mapping[str, Resource]
    digest: str
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
        items = {as_str(item.get("linkId")): item for item in _all_items(derived)}
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


def read_target(files: Mapping[str, bytes]) -> Target:
    """Read a target from its files (relative path → content). Raises TargetRefused."""
    try:
        manifest = tomllib.loads(files[MANIFEST].decode())
    except KeyError:
        raise TargetRefused(f"there is no {MANIFEST}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TargetRefused(f"{MANIFEST} cannot be read: {error}") from None
    missing = [k for k in ("name", "version", "applies-to", "template") if k not in manifest]
    if missing:
        raise TargetRefused(f"{MANIFEST} has no {', '.join(missing)}")
    resources = {name: _json(name, data) for name, data in files.items() if _is_template(name)}
    return Target(
        name=manifest["name"],
        version=manifest["version"],
        title=manifest.get("title", manifest["name"]),
        applies_to=tuple(manifest["applies-to"]),
        allocate=tuple(manifest.get("allocate-id", ())),
        templates=tuple(_use(entry, resources) for entry in manifest["template"]),
        concept_maps={
            as_str(r.get("id")): r
            for r in resources.values()
            if r.get("resourceType") == "ConceptMap"
        },
        digest=_digest(files),
        examples=tuple(_examples(files)),
    )


def _use(entry: Mapping[str, Any], resources: Mapping[str, Resource]) -> TemplateUse:
    name = as_str(entry.get("file"))
    if name not in resources:
        raise TargetRefused(f"{MANIFEST} names the template '{name}', which is not there")
    anchor = as_str(entry.get("anchor"))
    known = {"file", "anchor", "allocate-id", *_REQUEST_PARTS}
    unknown = set(entry) - known
    if unknown:
        raise TargetRefused(f"template '{name}' has unknown keys: {', '.join(sorted(unknown))}")
    # Contained ids are of the derived Questionnaire; the file's name is unique in the folder.
    resource = {**resources[name], "id": name.removesuffix(".json")}
    return TemplateUse(
        resource=resource,
        anchor=anchor,
        allocate=tuple(entry.get("allocate-id", ())),
        parts={key: entry[key] for key in _REQUEST_PARTS if key in entry},
    )


def _extract_extension(use: TemplateUse) -> Element:
    parts: list[Element] = [
        {"url": "template", "valueReference": {"reference": f"#{use.resource['id']}"}}
    ]
    parts.extend({"url": key, "valueString": value} for key, value in use.parts.items())
    return {"url": EXTRACT, "extension": parts}


def _extend(holder: Element, extension: Element) -> None:
    holder["extension"] = [*as_list(holder.get("extension")), extension]


def _all_items(questionnaire: Resource) -> list[Element]:
    found: list[Element] = []
    pending = list(as_list(questionnaire.get("item")))
    while pending:
        item = as_dict(pending.pop(0))
        found.append(item)
        pending.extend(as_list(item.get("item")))
    return found


def _is_template(name: str) -> bool:
    return name.endswith(".json") and "/" not in name


def _json(name: str, data: bytes) -> Resource:
    try:
        value = fhir_json.parse(data)
    except fhir_json.JsonRefused as error:
        raise TargetRefused(f"{name}: {error}") from None
    if not isinstance(value, dict) or not value.get("resourceType"):
        raise TargetRefused(f"{name} is not a FHIR resource")
    return value


def _examples(files: Mapping[str, bytes]) -> list[Example]:
    found = []
    for name in sorted(files):
        if not (name.startswith("examples/") and name.endswith(".response.json")):
            continue
        stem = name.removesuffix(".response.json")
        context = fhir_json.parse(files.get(f"{stem}.context.json", b"{}"))
        expected = fhir_json.parse(files.get(f"{stem}.expected.json", b"{}"))
        response = fhir_json.parse(files[name])
        found.append(Example(stem.removeprefix("examples/"), response, context, expected))
    return found


def _digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 over what decides the output: manifest and templates, not the examples."""
    total = hashlib.sha256()
    for name in sorted(files):
        if "/" not in name:
            total.update(name.encode() + b"\0" + files[name] + b"\0")
    return total.hexdigest()
