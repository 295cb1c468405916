"""Responses: `questionnaire validate-response`, `enabled` and `populate`. No settings needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fhir_gateway.cli.resources import (
    Resources,
    Server,
    read_questionnaire,
    read_typed,
    registry_of,
    server_of,
    unusable_arguments,
)
from fhir_gateway.cli.terminal import AsJson, fail, say, show_resource

QuestionnaireFile = Annotated[
    Path,
    typer.Option(
        "--questionnaire", "-q", help="Questionnaire (JSON or XML).", exists=True, dir_okay=False
    ),
]
ResponseFile = Annotated[
    Path,
    typer.Option(
        "--response",
        "-r",
        help="QuestionnaireResponse (JSON or XML).",
        exists=True,
        dir_okay=False,
    ),
]


def validate(
    response: ResponseFile,
    questionnaire: Annotated[
        Path | None,
        typer.Option(
            "--questionnaire",
            "-q",
            help="Questionnaire (JSON or XML). Without it: the one that the response names, if it "
            "is contained in it or among the resources.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    resources: Resources = None,
    terminology_server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Check a response against its questionnaire.

    Exit status 1 when it is not valid, 2 when a file cannot be used. --json prints a FHIR
    OperationOutcome.
    """
    from fhir_gateway.fhir.outcome import has_errors
    from fhir_gateway.questionnaire.validation import validate_response

    with unusable_arguments():
        registry = registry_of(resources)
        asked = read_questionnaire(questionnaire, registry) if questionnaire else None
        answered = read_typed(response, "QuestionnaireResponse")
    outcome = validate_response(
        asked, answered, resources=registry.all(), expander=server_of(terminology_server)
    )
    if as_json:
        show_resource(outcome)
    else:
        for issue in outcome["issue"]:
            where = f"{issue['expression'][0]}: " if issue.get("expression") else ""
            say(f"{issue['severity']}: {where}{issue['diagnostics']}")
    if has_errors(outcome):
        raise typer.Exit(1)


def enabled(
    questionnaire: QuestionnaireFile,
    response: ResponseFile,
    resources: Resources = None,
    as_json: AsJson = False,
) -> None:
    """Print the linkIds of the items that are enabled, in document order."""
    from fhir_gateway.questionnaire.enablement import enabled_items

    with unusable_arguments():
        asked = read_questionnaire(questionnaire, registry_of(resources))
        answered = read_typed(response, "QuestionnaireResponse")
    found = enabled_items(asked, answered)
    if as_json:
        show_resource(found)
        return
    for link_id in found:
        say(link_id)


def populate(
    file: Annotated[
        Path, typer.Argument(help="Questionnaire (JSON or XML).", exists=True, dir_okay=False)
    ],
    context: Annotated[
        list[str] | None,
        typer.Option(
            "--context",
            metavar="NAME=FILE",
            help="A resource for a launch context or query of the questionnaire, such as "
            "patient=patient.json. Can be given several times.",
        ),
    ] = None,
    resources: Resources = None,
) -> None:
    """Print a first response, filled with what is known already (SDC $populate)."""
    from fhir_gateway.questionnaire.definition import Definition
    from fhir_gateway.questionnaire.population import populated

    with unusable_arguments():
        registry = registry_of(resources)
        definition = Definition(read_questionnaire(file, registry), registry)
        known = dict(map(_context, context or []))
    show_resource(populated(definition, known))


def _context(argument: str) -> tuple[str, dict[str, Any]]:
    from fhir_gateway import shipped

    name, equals, file = argument.partition("=")
    if not equals or not name or not Path(file).is_file():
        fail(f"--context {argument}: give NAME=FILE, such as patient=patient.json.", code=2)
    return name, shipped.read_resource(Path(file))
