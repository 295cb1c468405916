"""The questionnaires and mappings that come with the gateway, and reading folders like them.

An installed wheel carries them as package data; a checkout has them beside the package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from fhir_gateway.errors import Refused
from fhir_gateway.fhir import conformance
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.profiles import Profiles
from fhir_gateway.fhir.types import Resource
from fhir_gateway.mapping.manifest import MANIFEST, is_template, read_manifest, read_target
from fhir_gateway.mapping.target import Target, TargetRefused

#: The largest file that is read, in bytes.
MAX_FILE = 20_000_000
_PACKAGE = Path(__file__).parent


class FolderRefused(Refused):
    """A file of a folder cannot be used; the message names it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="folder-refused")


def folder(name: str) -> Path:
    """The shipped folder `questionnaires` or `mappings`."""
    installed = _PACKAGE / "shipped" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def read_resources(path: Path) -> list[Resource]:
    """Every FHIR resource in a folder of JSON files, in order of their names.

    Raises FolderRefused.
    """
    return [read_resource(file) for file in sorted(path.glob("*.json"))]


def read_resource(file: Path) -> Resource:
    """One FHIR resource of a file in JSON or XML. Raises FolderRefused."""
    from fhir_gateway.fhir import exchange_xml

    try:
        data = file.read_bytes()
        if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
            resource: Any = exchange_xml.parse(data, max_bytes=MAX_FILE)
        else:
            resource = fhir_json.parse(data, max_bytes=MAX_FILE)
    except OSError as error:
        raise FolderRefused(f"{file}: {error.strerror}") from None
    except (fhir_json.JsonRefused, exchange_xml.XmlRefused) as error:
        raise FolderRefused(f"{file}: {error}") from None
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise FolderRefused(f"{file} is not a FHIR resource")
    return resource


def read_profiles(path: Path) -> Profiles:
    """The profiles and terminology of a FHIR package (.tgz), or of a folder of JSON and XML files
    and those below it. Raises FolderRefused."""
    found: list[Resource] = []
    files = [path] if path.is_file() else sorted(f for f in path.rglob("*") if f.is_file())
    for file in files:
        read = _READERS.get(file.suffix)
        if read is None:
            continue
        try:
            found.extend(read(file.read_bytes()))
        except OSError as error:
            raise FolderRefused(f"{file}: {error.strerror}") from None
        except conformance.ConformanceRefused as error:
            raise FolderRefused(f"{file}: {error}") from None
    profiles = Profiles(found)
    if not profiles:
        raise FolderRefused(f"{path} has no StructureDefinition: name a folder or a FHIR package")
    return profiles


_READERS: dict[str, Callable[[bytes], Iterable[Resource]]] = {
    ".tgz": conformance.of_package,
    ".json": conformance.of_json,
    ".xml": conformance.of_xml,
}


def read_targets(path: Path) -> dict[str, Target]:
    """Every mapping target of a folder, by name.

    A target that extends another takes the templates of that one that it has not itself; the other
    is of the same folder or shipped. Responses and contexts of examples that several targets share
    are in the folder's own `examples`. Raises TargetRefused.
    """
    found = {}
    for file in sorted(path.glob(f"*/{MANIFEST}")):
        try:
            target = read_target(_target_files(file.parent, ()))
        except TargetRefused as error:
            raise TargetRefused(f"{file.parent.name}: {error}") from None
        found[target.name] = target
    return found


def _target_files(root: Path, trail: tuple[str, ...]) -> dict[str, bytes]:
    files = _files(root)
    base = read_manifest(files).get("extends")
    if base:
        if base in trail:
            raise TargetRefused(f"it extends itself: {' > '.join((*trail, base))}")
        other = next(
            (
                f / base
                for f in (root.parent, folder("mappings"))
                if (f / base / MANIFEST).is_file()
            ),
            None,
        )
        if other is None:
            raise TargetRefused(f"it extends '{base}', which is not there")
        inherited = _target_files(other, (*trail, base))
        files = {name: inherited[name] for name in inherited if is_template(name)} | files
    return _shared_examples(root.parent / "examples", files) | files


def _shared_examples(shared: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    """What goes into the examples of which a target has only what must come out."""
    found = {}
    for name in files:
        if name.startswith("examples/") and name.endswith(".expected.json"):
            case = name.removeprefix("examples/").removesuffix(".expected.json")
            for part in ("response", "context"):
                file = shared / f"{case}.{part}.json"
                if file.is_file():
                    found[f"examples/{case}.{part}.json"] = file.read_bytes()
    return found


def _files(root: Path) -> dict[str, bytes]:
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in sorted(root.rglob("*"))
        if file.is_file()
    }
