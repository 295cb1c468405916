"""Mappings: `mapping list`, `test`, `run`, `lint`, `export`, `new`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fhir_gateway.cli.mapping_parts import (
    all_targets,
    catalogue,
    chosen,
    extracted,
    invalid,
    profiles_of,
    questionnaire_named,
    questionnaire_of,
    show_results,
    target_named,
    write_expected,
)
from fhir_gateway.cli.terminal import AsJson, fail, plain_errors, say, show_json, show_table

app = typer.Typer(no_args_is_help=True, help="What requests become in the EPR.")

TargetArgument = Annotated[str, typer.Argument(help="The mapping's name.")]
NamesArgument = Annotated[list[str] | None, typer.Argument(help="Mappings. Default: all.")]
CanonicalOption = Annotated[
    str | None,
    typer.Option(
        "--questionnaire", help="Canonical of one of its questionnaires. Default: the first."
    ),
]
ProfilesOption = Annotated[
    Path | None,
    typer.Option(
        "--profiles",
        exists=True,
        help="Profiles to check the output against: a FHIR package (.tgz), or a folder of "
        "StructureDefinitions, ValueSets and CodeSystems (JSON or XML), such as UK Core.",
    ),
]


@app.command("list")
def list_targets(as_json: AsJson = False) -> None:
    """List the mappings."""
    with plain_errors():
        targets = list(all_targets().values())
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
    names: NamesArgument = None,
    profiles: ProfilesOption = None,
    write: Annotated[
        bool,
        typer.Option(
            "--write",
            help="Write down what comes out as what must come out, in the mappings folder of the "
            "settings. Read the difference before you commit it.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the golden examples of mappings: what differs from what was written down, and whether
    the output is valid. Exit status 1 on a difference or an error."""
    from fhir_gateway.mapping.golden import example_differences, run_example

    results: list[dict[str, Any]] = []
    with plain_errors():
        targets = chosen(names)
        checked = profiles_of(profiles)
        for target in targets:
            for example in target.examples:
                extraction = run_example(target, questionnaire_of(example.response), example)
                if write:
                    write_expected(target, example.name, extraction)
                diff = [] if write else example_differences(example, extraction)
                problems = invalid(extraction.bundle, checked)
                results.append(
                    {
                        "mapping": target.name,
                        "example": example.name,
                        "diff": diff,
                        "invalid": problems,
                    }
                )
    if as_json:
        show_json(results)
    else:
        show_results(results, written=write)
    if any(result["diff"] or result["invalid"] for result in results):
        raise typer.Exit(1)


@app.command("run")
def run(
    mapping: Annotated[
        str,
        typer.Argument(
            help="The mapping's name, or a Questionnaire (JSON) with SDC extraction extensions."
        ),
    ],
    response: Annotated[
        Path, typer.Argument(help="QuestionnaireResponse (JSON).", exists=True, dir_okay=False)
    ],
    context: Annotated[
        Path | None,
        typer.Option(help="Launch context (JSON object).", exists=True, dir_okay=False),
    ] = None,
    profiles: ProfilesOption = None,
) -> None:
    """Print the Bundle that a mapping, or a Questionnaire of its own, makes of a response.

    Nothing is sent. What went wrong is said on standard error; exit status 1 when there are errors.
    """
    from fhir_gateway import shipped
    from fhir_gateway.fhir import json as fhir_json

    with plain_errors():
        answered = shipped.read_resource(response)
        try:
            given = fhir_json.parse(context.read_bytes()) if context else {}
        except fhir_json.JsonRefused as error:
            fail(f"{context}: {error}")
        if not isinstance(given, dict):
            fail(f"{context} is not a JSON object.", code=2)
        extraction = extracted(mapping, answered, given)
        problems = invalid(extraction.bundle, profiles_of(profiles))
    typer.echo(fhir_json.dump(extraction.bundle, pretty=True).decode())
    issues = [i for i in extraction.outcome["issue"] if i["severity"] != "information"]
    lines = [*(f"{i['severity']}: {i['diagnostics']}" for i in issues), *problems]
    for line in lines:
        typer.echo(line, err=True)
    if problems or any(i["severity"] in ("error", "fatal") for i in issues):
        raise typer.Exit(1)


@app.command("lint")
def lint_targets(names: NamesArgument = None, as_json: AsJson = False) -> None:
    """Find mistakes in mappings: unknown linkIds, variables and codes, types that never match,
    required elements that are never set. Exit status 1 on an error."""
    from fhir_gateway.mapping.lint import lint

    with plain_errors():
        found = [
            {"mapping": t.name, "severity": f.severity, "place": f.place, "text": f.text}
            for t in chosen(names)
            for f in lint(t, [catalogue().definition(canonical) for canonical in t.applies_to])
        ]
    if as_json:
        show_json(found)
    else:
        for finding in found:
            say("{severity:7} {mapping} {place}: {text}".format(**finding))
        say(f"{len(found)} findings." if found else "No findings.")
    if any(finding["severity"] == "error" for finding in found):
        raise typer.Exit(1)


@app.command("export")
def export(name: TargetArgument, questionnaire: CanonicalOption = None) -> None:
    """Print the standard SDC Questionnaire with the mapping's templates, for other engines."""
    from fhir_gateway.fhir import json as fhir_json

    with plain_errors():
        target = target_named(all_targets(), name)
        overlay = target.overlay(questionnaire_named(questionnaire or target.applies_to[0]))
    typer.echo(fhir_json.dump(overlay, pretty=True).decode())


@app.command("new")
def new(
    name: Annotated[
        str, typer.Option(prompt="Name (letters, digits, dashes)", help="The mapping's name.")
    ],
    resource: Annotated[
        str,
        typer.Option(
            prompt="What should a request become (ServiceRequest, Communication, Task, ...)",
            help="The FHIR resource type of its first template.",
        ),
    ] = "ServiceRequest",
    questionnaire: Annotated[
        list[str] | None,
        typer.Option(help="Canonical of a questionnaire it applies to; repeatable. Default: all."),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option("--into", help="Where to make the folder. Default: mappings of the settings."),
    ] = None,
) -> None:
    """Make a folder for a new mapping: manifest, a first template, and examples to start from.

    Without options it asks; with --name and --resource it does not.
    """
    from fhir_gateway.mapping.scaffold import scaffold
    from fhir_gateway.settings import load

    with plain_errors():
        base = into or load().mappings
        if base is None:
            fail(
                "Where should the mapping go? Give --into FOLDER, or set FHIR_GATEWAY_MAPPINGS to "
                "your folder of mappings; the gateway reads mappings there."
            )
        canonicals = questionnaire or all_targets()["uk-core-transaction"].applies_to
        definitions = [catalogue().definition(canonical) for canonical in canonicals]
        files = scaffold(name, resource, definitions)
        folder = base / name
        if folder.exists():
            fail(f"{folder} is there already; nothing was written.")
        for file, content in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(content)
    say(f"Made {folder}.")
    say("Next: edit the template, then")
    say(f"  fhir-gateway mapping lint {name}")
    say(f"  fhir-gateway mapping test {name} --write")
