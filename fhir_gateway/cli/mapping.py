"""Mappings: `mapping list`, `test`, `run`, `export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fhir_gateway.cli.terminal import AsJson, fail, plain_errors, say, show_json, show_table

if TYPE_CHECKING:
    from fhir_gateway.fhir.types import Resource
    from fhir_gateway.mapping.target import Target

app = typer.Typer(no_args_is_help=True, help="What requests become in the EPR.")

TargetArgument = Annotated[str, typer.Argument(help="The mapping's name.")]
CanonicalOption = Annotated[
    str | None,
    typer.Option(
        "--questionnaire", help="Canonical of one of its questionnaires. Default: the first."
    ),
]


@app.command("list")
def list_targets(as_json: AsJson = False) -> None:
    """List the mappings."""
    with plain_errors():
        targets = list(_targets().values())
    if as_json:
        show_json(
            [
                {"name": t.name, "version": t.version, "title": t.title, "appliesTo": t.applies_to}
                for t in targets
            ]
        )
        return
    show_table(
        ["Mapping", "Version", "Title", "Applies to"],
        [[t.name, t.version, t.title, "\n".join(t.applies_to)] for t in targets],
        empty="There are no mappings.",
    )


@app.command("test")
def golden(
    names: Annotated[list[str] | None, typer.Argument(help="Mappings. Default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the golden examples of mappings and show what differs; exit status 1 on a difference."""
    from fhir_gateway.fhir.types import as_str
    from fhir_gateway.mapping.golden import differences, run_example

    results = []
    with plain_errors():
        targets = _targets()
        chosen = [_target(targets, name) for name in names] if names else list(targets.values())
        for target in chosen:
            for example in target.examples:
                questionnaire = _questionnaire(as_str(example.response.get("questionnaire")))
                diff = differences(example, run_example(target, questionnaire, example))
                results.append({"mapping": target.name, "example": example.name, "diff": diff})
    if as_json:
        show_json(results)
    else:
        for result in results:
            verdict = "differs" if result["diff"] else "equal"
            say(f"{verdict:7} {result['mapping']} {result['example']}")
            for line in result["diff"]:
                say(f"    {line}")
        if not results:
            say("There are no examples.")
    if any(result["diff"] for result in results):
        raise typer.Exit(1)


@app.command("run")
def run(
    name: TargetArgument,
    response: Annotated[
        Path, typer.Argument(help="QuestionnaireResponse (JSON).", exists=True, dir_okay=False)
    ],
    context: Annotated[
        Path | None,
        typer.Option(help="Launch context (JSON object).", exists=True, dir_okay=False),
    ] = None,
) -> None:
    """Print the Bundle that a mapping makes of a response. Nothing is sent."""
    from fhir_gateway import shipped
    from fhir_gateway.fhir import json as fhir_json
    from fhir_gateway.fhir.outcome import has_errors
    from fhir_gateway.fhir.types import as_str
    from fhir_gateway.mapping.golden import run_example
    from fhir_gateway.mapping.target import Example

    with plain_errors():
        target = _target(_targets(), name)
        answered = shipped.read_resource(response)
        given = fhir_json.parse(context.read_bytes()) if context else {}
        if not isinstance(given, dict):
            fail(f"{context} is not a JSON object.", code=2)
        questionnaire = _questionnaire(as_str(answered.get("questionnaire")))
        extraction = run_example(target, questionnaire, Example(response.name, answered, given, {}))
    show_json(extraction.bundle)
    if has_errors(extraction.outcome):
        fail(*(f"{i['severity']}: {i['diagnostics']}" for i in extraction.outcome["issue"]))


@app.command("export")
def export(name: TargetArgument, questionnaire: CanonicalOption = None) -> None:
    """Print the standard SDC Questionnaire with the mapping's templates, for other engines."""
    with plain_errors():
        target = _target(_targets(), name)
        show_json(target.overlay(_questionnaire(questionnaire or target.applies_to[0])))


def _targets() -> dict[str, Target]:
    from fhir_gateway import shipped
    from fhir_gateway.settings import load

    targets = shipped.read_targets(shipped.folder("mappings"))
    more = load().mappings
    return targets | (shipped.read_targets(more) if more else {})


def _target(targets: dict[str, Target], name: str) -> Target:
    if name not in targets:
        fail(f"There is no mapping '{name}'. There are: {', '.join(sorted(targets))}.")
    return targets[name]


def _questionnaire(canonical: str) -> Resource:
    from fhir_gateway.cli.questionnaire import catalogue

    return catalogue().definition(canonical).raw
