"""Reading a mapping target from the files of its folder.

The folder (docs/mappings.md):

    manifest.toml       name, version, title, sdc-version, applies-to, and one [[template]] each
    <Resource>.json     a template: plain FHIR JSON with the SDC extensions
    ConceptMap-*.json   codes; each is a variable named after its id
    examples/           <case>.response.json, <case>.context.json, <case>.expected.json
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from typing import Any

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import Resource, as_str
from fhir_gateway.mapping.entries import CONDITIONS
from fhir_gateway.mapping.target import Example, Target, TargetRefused, TemplateUse

MANIFEST = "manifest.toml"
BUNDLE_TYPES = ("transaction", "message")
#: Keys of a [[template]] that become parts of its templateExtract extension.
REQUEST_PARTS = ("fullUrl", "resourceId", *CONDITIONS)
_KEYS = frozenset(
    "name version title sdc-version applies-to allocate-id template extends bundle "
    "documents".split()
)


def read_manifest(files: Mapping[str, bytes]) -> dict[str, Any]:
    """The manifest of a folder. Raises TargetRefused."""
    try:
        manifest = tomllib.loads(files[MANIFEST].decode())
    except KeyError:
        raise TargetRefused(f"there is no {MANIFEST}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TargetRefused(f"{MANIFEST} cannot be read: {error}") from None
    missing = [k for k in ("name", "version", "applies-to", "template") if k not in manifest]
    if missing:
        raise TargetRefused(f"{MANIFEST} has no {', '.join(missing)}")
    unknown = sorted(manifest.keys() - _KEYS)
    if unknown:
        raise TargetRefused(f"{MANIFEST} has unknown keys: {', '.join(unknown)}")
    if manifest.get("bundle", "transaction") not in BUNDLE_TYPES:
        raise TargetRefused(f"{MANIFEST}: bundle is one of {', '.join(BUNDLE_TYPES)}")
    return manifest


def read_target(files: Mapping[str, bytes]) -> Target:
    """Read a target from its files (relative path → content). Raises TargetRefused."""
    manifest = read_manifest(files)
    resources = {name: _json(name, data) for name, data in files.items() if is_template(name)}
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
        sdc_version=manifest.get("sdc-version", "4.0.0"),
        bundle_type=manifest.get("bundle", "transaction"),
        documents=manifest.get("documents", False) is True,
        examples=tuple(_examples(files)),
    )


def is_template(name: str) -> bool:
    """Whether a file of a folder is a template or ConceptMap."""
    return name.endswith(".json") and "/" not in name


def _use(entry: Mapping[str, Any], resources: Mapping[str, Resource]) -> TemplateUse:
    name = as_str(entry.get("file"))
    if name not in resources:
        raise TargetRefused(f"{MANIFEST} names the template '{name}', which is not there")
    known = {"file", "anchor", "allocate-id", *REQUEST_PARTS}
    unknown = set(entry) - known
    if unknown:
        raise TargetRefused(f"template '{name}' has unknown keys: {', '.join(sorted(unknown))}")
    # Contained ids are of the derived Questionnaire; the file's name is unique in the folder.
    resource = {**resources[name], "id": name.removesuffix(".json")}
    return TemplateUse(
        resource=resource,
        anchor=as_str(entry.get("anchor")),
        allocate=tuple(entry.get("allocate-id", ())),
        parts={key: entry[key] for key in REQUEST_PARTS if key in entry},
    )


def _json(name: str, data: bytes) -> Any:
    try:
        value = fhir_json.parse(data)
    except fhir_json.JsonRefused as error:
        raise TargetRefused(f"{name}: {error}") from None
    if not isinstance(value, dict) or not value.get("resourceType"):
        raise TargetRefused(f"{name} is not a FHIR resource")
    return value


def _examples(files: Mapping[str, bytes]) -> list[Example]:
    """The cases with a response and, unless a shared response is named only, an expected Bundle."""
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
