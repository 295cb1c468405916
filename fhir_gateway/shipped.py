"""The questionnaires and mappings that come with the gateway, and reading folders like them.

An installed wheel carries them as package data; a checkout has them beside the package.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fhir_gateway.errors import Refused
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import Resource
from fhir_gateway.mapping.target import MANIFEST, Target, read_target

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
    from fhir_gateway.fhir import xml

    try:
        data = file.read_bytes()
        if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
            resource: Any = xml.parse(data)
        else:
            resource = fhir_json.parse(data, max_bytes=MAX_FILE)
    except OSError as error:
        raise FolderRefused(f"{file}: {error.strerror}") from None
    except (fhir_json.JsonRefused, xml.XmlRefused) as error:
        raise FolderRefused(f"{file}: {error}") from None
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise FolderRefused(f"{file} is not a FHIR resource")
    return resource


def read_targets(path: Path) -> dict[str, Target]:
    """Every mapping target of a folder, by name. Raises TargetRefused."""
    targets = [read_target(_files(file.parent)) for file in sorted(path.glob(f"*/{MANIFEST}"))]
    return {target.name: target for target in targets}


def _files(root: Path) -> dict[str, bytes]:
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in sorted(root.rglob("*"))
        if file.is_file()
    }
