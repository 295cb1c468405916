"""Questionnaires: `questionnaire list`, `lint`, `assemble`; `preview` and responses beside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fhir_gateway.cli import responses
from fhir_gateway.cli.preview import preview
from fhir_gateway.cli.resources import (
    Resources,
    Server,
    read_all,
    read_questionnaire,
    server_of,
    unusable_arguments,
)
from fhir_gateway.cli.terminal import AsJson, plain_errors, show_json, show_resource, show_table

if TYPE_CHECKING:
    from fhir_gateway.fhir.registry import Registry
    from fhir_gateway.questionnaire.catalogue import Catalogue
    from fhir_gateway.questionnaire.linting import Finding
    from fhir_gateway.terminology.server import TerminologyServer

app = typer.Typer(no_args_is_help=True, help="The questionnaires that pages are made from.")
app.command("preview")(preview)

app.command("validate-response")(responses.validate)
app.command("enabled")(responses.enabled)
app.command("populate")(responses.populate)


@app.command("list")
def list_questionnaires(as_json: AsJson = False) -> None:
    """List the questionnaires at hand, modules included."""
    from fhir_gateway.fhir.types import as_str, extension_value
    from fhir_gateway.questionnaire import extensions as ext

    with plain_errors():
        rows = [
            {
                "url": as_str(q.get("url")),
                "version": as_str(q.get("version")),
                "title": as_str(q.get("title")),
                "module": extension_value(q, ext.ASSEMBLE_EXPECTATION) == "assemble-child",
            }
            for q in catalogue().questionnaires()
        ]
    if as_json:
        show_json(rows)
        return
    show_table(
        ["Canonical", "Title", ""],
        [
            [f"{r['url']}|{r['version']}", str(r["title"]), "module" if r["module"] else ""]
            for r in rows
        ],
        empty="There are no questionnaires.",
    )


@app.command("lint")
def lint_files(
    files: Annotated[
        list[Path],
        typer.Argument(help="Questionnaires (JSON or XML).", exists=True, dir_okay=False),
    ],
    resources: Resources = None,
    terminology_server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with questionnaires before patients see them, and what to do about it.

    Exit status 1 on errors, 2 when a file cannot be used.
    """
    findings: list[dict[str, Any]] = []
    with plain_errors():
        registry = catalogue(files).registry
    with unusable_arguments():
        for resource in read_all(resources):
            registry.add(resource)
        server = server_of(terminology_server)
        for file in files:
            found = _lint(file, registry, server)
            findings.extend({"file": str(file), **finding.as_dict()} for finding in found)
    if as_json:
        show_json(findings)
    else:
        show_table(
            ["File", "linkId", "Severity", "Code", "Advice"],
            [[f["file"], f["linkId"], f["severity"], f["code"], f["text"]] for f in findings],
            empty="Nothing is wrong.",
        )
    if any(f["severity"] == "error" for f in findings):
        raise typer.Exit(1)


def _lint(file: Path, registry: Registry, server: TerminologyServer | None) -> list[Finding]:
    from fhir_gateway.questionnaire.assembly import NotAssembled
    from fhir_gateway.questionnaire.definition import Definition
    from fhir_gateway.questionnaire.linting import Finding, lint
    from fhir_gateway.web.fields import SHOWN_TYPES

    try:
        questionnaire = read_questionnaire(file, registry)
    except NotAssembled as error:
        return [Finding("not-assembled", "error", "", f"{error}.")]
    definition = Definition(questionnaire, registry, expander=server)
    return lint(definition, shown_types=SHOWN_TYPES)


@app.command("assemble")
def assemble_file(
    file: Annotated[
        Path, typer.Argument(help="Questionnaire (JSON or XML).", exists=True, dir_okay=False)
    ],
    resources: Resources = None,
) -> None:
    """Print a modular questionnaire as one, with its modules in place (SDC $assemble)."""
    with plain_errors():
        registry = catalogue([file]).registry
    with unusable_arguments():
        for resource in read_all(resources):
            registry.add(resource)
        show_resource(read_questionnaire(file, registry))


def catalogue(files: list[Path] | None = None) -> Catalogue:
    """The shipped and configured questionnaires, and what is in the folders of `files`."""
    from fhir_gateway import shipped
    from fhir_gateway.questionnaire.catalogue import Catalogue
    from fhir_gateway.settings import load

    folders = [shipped.folder("questionnaires"), load().questionnaires]
    resources = [r for folder in folders if folder for r in shipped.read_resources(folder)]
    resources.extend(shipped.read_resource(file) for file in files or ())
    return Catalogue(resources)
