"""Conformance testing: `conformance run`, `list`, `lint`, `explain` and `compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fhir_gateway.cli.terminal import AsJson, fail, say, show_json, show_table

if TYPE_CHECKING:
    from fhir_gateway.conformance.results import Run
    from fhir_gateway.conformance.suites import Suite

app = typer.Typer(
    no_args_is_help=True,
    help="Test any FHIR server with TestScripts, and keep the evidence. "
    "Start with `conformance list`.",
)

Suites = Annotated[
    list[str],
    typer.Argument(metavar="SUITE...", help="Shipped suites, folders or files of TestScripts."),
]


@app.callback()
def _group() -> None:
    """Test any FHIR server with TestScripts, and keep the evidence."""


@app.command("run")
def run(
    suites: Suites,
    target: Annotated[str, typer.Option(help="The base address of the server to test.")],
    auth: Annotated[
        Path | None,
        typer.Option(help="A JSON file that says how to identify to it.", exists=True),
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="What is sent and asked for: json or xml.")
    ] = "json",
    only: Annotated[
        list[str] | None,
        typer.Option(help="Only tests with this tag, or of this script; may be repeated."),
    ] = None,
    failed: Annotated[
        Path | None,
        typer.Option(help="Only what failed in an earlier run: the folder of its reports."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A folder for the reports.")] = None,
    variable: Annotated[
        list[str] | None,
        typer.Option(help="A value for a variable of the scripts: name=value; may be repeated."),
    ] = None,
    profiles: Annotated[
        list[Path] | None,
        typer.Option(help="Profiles to validate by: a folder or a FHIR package (.tgz)."),
    ] = None,
    destination: Annotated[
        list[str] | None,
        typer.Option(help="A further server for scripts of several: 2=URL; may be repeated."),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for an answer.", min=0.1)] = 30.0,
    ca: Annotated[Path | None, typer.Option(help="A PEM file of the authority to trust.")] = None,
    cert: Annotated[Path | None, typer.Option(help="A client certificate (PEM).")] = None,
    key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Take any certificate. For test systems only.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run suites against a server.

    Exit status: 0 when all passed, 1 when something failed or nothing could be tested, 2 when the
    command cannot be used as it was given.
    """
    from fhir_gateway.cli import conformance_parts as parts

    with parts.usage_errors():
        if format_ not in ("json", "xml"):
            fail("--format is json or xml.", code=2)
        found = parts.find(suites)
        plan = parts.plan(found, format_, variable or [], only or [], failed, profiles or [])
        tls = parts.Tls(ca, cert, key, insecure)
        callers, hidden = parts.callers(target, destination or [], auth, tls, timeout)
    try:
        finished = parts.execute(plan, callers, hidden, quiet=as_json)
    finally:
        for caller in callers.values():
            caller.close()
    if out is not None:
        with parts.usage_errors():
            parts.write(finished, out)
    _end(finished, out, as_json=as_json)


def _end(finished: Run, out: Path | None, *, as_json: bool) -> None:
    from fhir_gateway.cli import conformance_parts as parts
    from fhir_gateway.conformance import run_json

    if as_json:
        show_json(run_json.of_run(finished))
    else:
        counts = finished.counts()
        for line in parts.beside_tests(finished):
            say(line)
        say("")
        say(
            ", ".join(f"{number} {name}" for name, number in counts.items() if number) or "No test."
        )
        if out is not None:
            say(f"Reports: {out / 'report.html'}")
        if not finished.ok and not counts["fail"] and not counts["error"]:
            say("Nothing was tested: no test of these suites could be run against this server.")
    raise typer.Exit(0 if finished.ok else 1)


@app.command("list")
def list_suites(as_json: AsJson = False) -> None:
    """Show the suites that come with the gateway."""
    from fhir_gateway import shipped
    from fhir_gateway.cli import conformance_parts as parts
    from fhir_gateway.conformance import suites

    with parts.usage_errors():
        found = suites.shipped(shipped.folder("conformance"))
    if as_json:
        show_json([_as_json(suite) for suite in found])
        return
    show_table(
        ["Suite", "Tests", "What it tests"],
        [
            [suite.name, str(sum(len(s.tests) for s in suite.scripts)), suite.title]
            for suite in found
        ],
        empty="No suite is shipped. Name a folder or a file of TestScripts.",
    )
    say("\nRun one: fhir-gateway conformance run SUITE --target URL --out DIR")


def _as_json(suite: Suite) -> dict[str, Any]:
    return {
        "name": suite.name,
        "title": suite.title,
        "description": suite.description,
        "variables": list(suite.inputs),
        "tests": [
            {
                "key": script.key(index),
                "name": test.get("name"),
                "description": test.get("description"),
                "tags": list(script.tags(test)),
            }
            for script in suite.scripts
            for index, test in enumerate(script.tests)
        ],
    }


@app.command("lint")
def lint(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="TestScripts, folders, or shipped suites."),
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check TestScripts without running them.

    Finds what is not R4, unknown codes, ids and variables that lead nowhere, expressions that do
    not parse, and asserts that cannot fail. Exit status 1 when something is wrong.
    """
    from fhir_gateway.cli import conformance_parts as parts
    from fhir_gateway.conformance import lint as linting
    from fhir_gateway.conformance.finding import ERROR, Finding

    found: list[tuple[Path, Finding]] = []
    with parts.usage_errors():
        for suite in parts.find(files):
            found += [(file, Finding(ERROR, "file", text)) for file, text in suite.problems]
            for script in suite.scripts:
                found += [(script.file, one) for one in linting.findings(script)]
    if as_json:
        show_json(
            [
                {"file": str(f), "level": one.level, "place": one.place, "message": one.message}
                for f, one in found
            ]
        )
    else:
        for file, one in found:
            say(f"{file}: {one.level}: {one.place}: {one.message}")
        if not found:
            say("Nothing found.")
    if any(strict or one.level == ERROR for _, one in found):
        raise typer.Exit(1)


@app.command("explain")
def explain(
    test: Annotated[
        str, typer.Argument(help="A test as reports name it: suite/script/test, or part of it.")
    ],
    suite: Annotated[
        list[str] | None,
        typer.Option(help="Where to look: suites, folders or files. Default: all that is shipped."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a test checks: its requirement, with a link, and each step in words."""
    from fhir_gateway.cli import conformance_parts as parts

    with parts.usage_errors():
        found = parts.explained(test, suite or [])
    if as_json:
        show_json(found)
        return
    for one in found:
        say(one["key"])
        say(f"  {one['name']}")
        for text in filter(None, [one["description"]]):
            say(f"  {text}")
        for requirement in one["requirements"]:
            say("  Requirement: " + " ".join(filter(None, requirement.values())))
        for condition in one["requires"]:
            say(f"  Only where the server says: {condition}")
        for number, step in enumerate(one["steps"], 1):
            say(f"  {number}. {step}")
        say("")


@app.command("compare")
def compare(
    before: Annotated[Path, typer.Argument(help="The folder of reports of the earlier run.")],
    after: Annotated[Path, typer.Argument(help="The folder of reports of the later run.")],
    as_json: AsJson = False,
) -> None:
    """Show which tests ended differently in two runs.

    Exit status 1 when a test fails that did not fail before, or is no longer judged.
    """
    from fhir_gateway.cli import conformance_parts as parts
    from fhir_gateway.conformance import report_folder
    from fhir_gateway.conformance.compare import changes

    with parts.usage_errors():
        first, second = (report_folder.outcomes(report_folder.read(f)) for f in (before, after))
    found = changes(first, second)
    if as_json:
        show_json(
            [{"key": c.key, "change": c.kind, "before": c.before, "after": c.after} for c in found]
        )
    else:
        show_table(
            ["Change", "Test", "Before", "After"],
            [[c.kind, c.key, c.before or "not run", c.after or "not run"] for c in found],
            empty="No test ended differently.",
        )
    if any(change.kind in ("broken", "lost") for change in found):
        raise typer.Exit(1)
