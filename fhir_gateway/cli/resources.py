"""Files of FHIR resources given on the command line, in JSON or XML."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fhir_gateway.cli.terminal import fail

if TYPE_CHECKING:
    from fhir_gateway.fhir.registry import Registry
    from fhir_gateway.terminology.server import TerminologyServer

#: Exit status for arguments that cannot be used, as Typer's own.
UNUSABLE = 2

Resources = Annotated[
    list[Path] | None,
    typer.Option(
        "--resources",
        help="File or folder with ValueSets, CodeSystems and modules (JSON, XML or Bundles) that "
        "the questionnaire needs. Can be given several times.",
        exists=True,
    ),
]
Server = Annotated[
    str | None,
    typer.Option(
        "--terminology-server",
        metavar="URL",
        help="FHIR base of a terminology server, asked for value sets that are not at hand.",
    ),
]


@contextmanager
def unusable_arguments() -> Iterator[None]:
    """What a file holds and cannot be used ends the command with a sentence and exit status 2."""
    from fhir_gateway.errors import Refused

    try:
        yield
    except Refused as error:
        fail(str(error), code=UNUSABLE)


def read_all(paths: list[Path] | None) -> list[dict[str, Any]]:
    """Every resource of files and folders; those in Bundles one by one. Raises FolderRefused."""
    from fhir_gateway import shipped
    from fhir_gateway.fhir.types import as_dict, as_list

    found: list[dict[str, Any]] = []
    for path in paths or []:
        files = [path]
        if path.is_dir():
            files = sorted(f for f in path.rglob("*") if f.suffix in (".json", ".xml"))
        for resource in map(shipped.read_resource, files):
            if resource["resourceType"] == "Bundle":
                entries = map(as_dict, as_list(resource.get("entry")))
                found.extend(as_dict(entry.get("resource")) for entry in entries)
            else:
                found.append(resource)
    return found


def registry_of(paths: list[Path] | None) -> Registry:
    """The shipped resources and those of `paths`, the latter first. Raises FolderRefused."""
    from fhir_gateway import shipped
    from fhir_gateway.fhir.registry import Registry

    return Registry([*shipped.read_resources(shipped.folder("questionnaires")), *read_all(paths)])


def read_questionnaire(file: Path, registry: Registry) -> dict[str, Any]:
    """A Questionnaire of a file with its modules in place. Raises FolderRefused, NotAssembled."""
    from fhir_gateway.questionnaire.assembly import assemble

    return assemble(read_typed(file, "Questionnaire"), registry.resolve)


def read_typed(file: Path, resource_type: str) -> dict[str, Any]:
    """The resource of a file, which must be of this type. Raises FolderRefused."""
    from fhir_gateway import shipped

    resource = shipped.read_resource(file)
    if resource["resourceType"] != resource_type:
        raise shipped.FolderRefused(
            f"{file} is a {resource['resourceType']}, not a {resource_type}"
        )
    return resource


def server_of(url: str | None) -> TerminologyServer | None:
    """The terminology server at an address, or None."""
    if not url:
        return None
    from fhir_gateway.terminology.server import TerminologyServer

    return TerminologyServer(url)
