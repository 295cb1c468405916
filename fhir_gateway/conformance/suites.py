"""Suites: a folder of TestScripts with their fixtures, or a single file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fhir_gateway.conformance import fixtures
from fhir_gateway.conformance.errors import ScriptError
from fhir_gateway.conformance.script import Script, read_resource, read_script
from fhir_gateway.errors import Refused
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import as_dict, as_list, as_str

MANIFEST = "suite.json"
#: Folders of a suite that hold no scripts.
_BESIDE = frozenset({"fixtures", "profiles", "_reference"})


@dataclass(frozen=True, slots=True)
class Suite:
    """What a tester names on the command line. `problems`: files that are no TestScripts though
    they should be, with the reason; they count as errors of a run."""

    name: str
    title: str
    description: str
    root: Path
    scripts: tuple[Script, ...]
    problems: tuple[tuple[Path, str], ...] = ()
    inputs: tuple[dict[str, Any], ...] = field(default=())

    @property
    def profiles(self) -> Path | None:
        """The folder of its profiles, when it has one."""
        folder = self.root / "profiles"
        return folder if folder.is_dir() else None


def shipped(home: Path) -> list[Suite]:
    """The suites of a folder, in order of their names: its subfolders that have a manifest."""
    return [read_suite(file.parent) for file in sorted(home.glob(f"*/{MANIFEST}"))]


def find(names: Sequence[str], home: Path) -> list[Suite]:
    """The suites of these names: shipped ones, folders or files. Raises ScriptError."""
    return [_find(name, home) for name in names]


def _find(name: str, home: Path) -> Suite:
    path = Path(name)
    if "/" not in name and (home / name / MANIFEST).is_file():
        return read_suite(home / name)
    if path.is_dir():
        return read_suite(path)
    if path.is_file():
        script = read_script(path)
        return Suite(script.suite or path.stem, script.title, "", path.parent, (script,))
    known = ", ".join(file.parent.name for file in sorted(home.glob(f"*/{MANIFEST}")))
    raise ScriptError(
        f"'{name}' is no shipped suite, no folder and no file. Shipped: {known or 'none'}."
    )


def read_suite(root: Path) -> Suite:
    """The suite in a folder; TestScripts of subfolders count as well. Raises ScriptError."""
    manifest = _manifest(root / MANIFEST)
    name = as_str(manifest.get("name")) or root.resolve().name
    scripts: list[Script] = []
    problems: list[tuple[Path, str]] = []
    for file in _files(root):
        try:
            resource = read_resource(file)
        except ScriptError as error:
            problems.append((file, str(error)))
            continue
        if resource["resourceType"] == "TestScript":
            scripts.append(Script(resource, file, root, name))
    sent = _sent(scripts)
    problems = [(file, why) for file, why in problems if file.resolve() not in sent]
    if not scripts and not problems:
        raise ScriptError(f"{root} has no TestScript in it.")
    return Suite(
        name,
        as_str(manifest.get("title")) or name,
        as_str(manifest.get("description")),
        root,
        tuple(scripts),
        tuple(problems),
        tuple(as_dict(one) for one in as_list(manifest.get("variables"))),
    )


def _sent(scripts: Sequence[Script]) -> set[Path]:
    """The files that scripts send: a broken one, or a patch, may be meant as it is."""
    found = set()
    for script in scripts:
        for fixture in map(as_dict, as_list(script.resource.get("fixture"))):
            reference = as_str(as_dict(fixture.get("resource")).get("reference"))
            if reference and not reference.startswith("#"):
                with suppress(Refused):
                    found.add(fixtures.locate(script, reference).resolve())
    return found


def _files(root: Path) -> list[Path]:
    found = [f for f in root.rglob("*") if f.suffix in (".json", ".xml") and f.is_file()]
    return sorted(
        f for f in found if f.name != MANIFEST and not _BESIDE & set(f.relative_to(root).parts[:-1])
    )


def _manifest(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        return as_dict(fhir_json.parse(file.read_bytes()))
    except OSError as error:
        raise ScriptError(f"{file} cannot be read: {error.strerror}") from None
    except Refused as error:
        raise ScriptError(f"{file}: {error}") from None
