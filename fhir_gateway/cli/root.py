"""The root of the command `fhir-gateway`. What a command needs is imported when it runs, so that
`--help` answers at once."""

from __future__ import annotations

from typing import Annotated

import typer

from fhir_gateway.cli import (
    audit,
    client,
    demo,
    epr,
    keys,
    link,
    mapping,
    questionnaire,
    queue,
    sandbox,
    serve,
    service,
    settings,
    trace,
)

app = typer.Typer(
    name="fhir-gateway",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    help="FHIR-native gateway for patient-initiated follow-up (PIFU) in the NHS. "
    "New here? Run `fhir-gateway demo`.",
)


def _version(asked: bool) -> None:
    if asked:
        from fhir_gateway import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """FHIR-native gateway for patient-initiated follow-up (PIFU) in the NHS."""
    del version


app.command()(demo.demo)
app.command()(serve.serve)
app.command()(serve.worker)
app.command()(trace.trace)
app.add_typer(service.app, name="service")
app.add_typer(link.app, name="link")
app.add_typer(epr.app, name="epr")
app.add_typer(queue.app, name="queue")
app.add_typer(questionnaire.app, name="questionnaire")
app.add_typer(mapping.app, name="mapping")
app.add_typer(client.app, name="client")
app.add_typer(audit.app, name="audit")
app.add_typer(keys.app, name="keys")
app.add_typer(settings.app, name="settings")
app.add_typer(sandbox.app, name="sandbox")


def main() -> None:
    """Entry point."""
    app()
