"""Questionnaires: `questionnaire list`, `lint`, `assemble`, `validate-response`, `enabled`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fhir_gateway.cli.preview import preview
from fhir_gateway.cli.terminal import AsJson, plain_errors, say, show_json, show_table

if TYPE_CHECKING:
    from fhir_gateway.questionnaire.catalogue import Catalogue

app = typer.Typer(no_args_is_help=True, help="The questionnaires that pages are made from.")
app.command("preview")(preview)

QuestionnaireFile = Annotated[
    Path,
    typer.Option("--questionnaire", help="Questionnaire (JSON).", exists=True, dir_okay=False),
]
ResponseFile = Annotated[
    Path,
    typer.Option("--response", help="QuestionnaireResponse (JSON).", exists=True, dir_okay=False),
]


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
        list[Path], typer.Argument(help="Questionnaires (JSON).", exists=True, dir_okay=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with questionnaires before patients see them; exit status 1 on errors."""
    from fhir_gateway import shipped
    from fhir_gateway.questionnaire.assembly import assemble
    from fhir_gateway.questionnaire.definition import Definition
    from fhir_gateway.questionnaire.linting import lint
    from fhir_gateway.web.fields import SHOWN_TYPES

    findings: list[dict[str, Any]] = []
    with plain_errors():
        registry = catalogue(files).registry
        for file in files:
            questionnaire = assemble(shipped.read_resource(file), registry.resolve)
            definition = Definition(questionnaire, registry)
            findings.extend(
                {
                    "file": str(file),
                    "linkId": f.link_id,
                    "severity": f.severity,
                    "code": f.code,
                    "text": f.text,
                }
                for f in lint(definition, shown_types=SHOWN_TYPES)
            )
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


@app.command("assemble")
def assemble_file(
    file: Annotated[
        Path, typer.Argument(help="Questionnaire (JSON).", exists=True, dir_okay=False)
    ],
) -> None:
    """Print a modular questionnaire as one, with its modules in place (SDC $assemble)."""
    from fhir_gateway import shipped
    from fhir_gateway.questionnaire.assembly import assemble

    with plain_errors():
        registry = catalogue([file]).registry
        show_json(assemble(shipped.read_resource(file), registry.resolve))


@app.command("validate-response")
def validate(
    questionnaire: QuestionnaireFile, response: ResponseFile, as_json: AsJson = False
) -> None:
    """Check a response against its questionnaire; exit status 1 when it is not valid."""
    from fhir_gateway.fhir.outcome import has_errors
    from fhir_gateway.questionnaire.validation import validate_response

    with plain_errors():
        assembled, answered, resources = _pair(questionnaire, response)
        outcome = validate_response(assembled, answered, resources=resources)
    if as_json:
        show_json(outcome)
    else:
        for issue in outcome["issue"]:
            where = f"{issue['expression'][0]}: " if issue.get("expression") else ""
            say(f"{issue['severity']}: {where}{issue['diagnostics']}")
    if has_errors(outcome):
        raise typer.Exit(1)


@app.command("enabled")
def enabled(
    questionnaire: QuestionnaireFile, response: ResponseFile, as_json: AsJson = False
) -> None:
    """Print the linkIds of the items that are enabled, in document order."""
    from fhir_gateway.questionnaire.enablement import enabled_items

    with plain_errors():
        assembled, answered, _ = _pair(questionnaire, response)
        found = enabled_items(assembled, answered)
    if as_json:
        show_json(found)
        return
    for link_id in found:
        say(link_id)


def catalogue(files: list[Path] | None = None) -> Catalogue:
    """The shipped and configured questionnaires, and what is in the folders of `files`."""
    from fhir_gateway import shipped
    from fhir_gateway.questionnaire.catalogue import Catalogue
    from fhir_gateway.settings import load

    folders = [shipped.folder("questionnaires"), load().questionnaires]
    resources = [r for folder in folders if folder for r in shipped.read_resources(folder)]
    resources.extend(shipped.read_resource(file) for file in files or ())
    return Catalogue(resources)


def _pair(questionnaire: Path, response: Path) -> tuple[Any, Any, list[Any]]:
    from fhir_gateway import shipped
    from fhir_gateway.questionnaire.assembly import assemble

    registry = catalogue([questionnaire]).registry
    assembled = assemble(shipped.read_resource(questionnaire), registry.resolve)
    resources = [*registry.of_type("ValueSet"), *registry.of_type("CodeSystem")]
    return assembled, shipped.read_resource(response), resources
