"""How requests flow: `queue health`, `pause`, `resume`, `synthetic`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fhir_gateway.cli.opening import open_gateway, who
from fhir_gateway.cli.saying_why import said_why
from fhir_gateway.cli.terminal import AsJson, fail, plain_errors, say, show_json, show_table

if TYPE_CHECKING:
    from fhir_gateway.app import Gateway

ServiceOption = Annotated[
    str | None, typer.Option("--service", help="The EPR of this service (its short name).")
]
TextsOption = Annotated[bool, typer.Option("--texts", help="The text provider.")]


def health(as_json: AsJson = False) -> None:
    """Say how deliveries stand; exit status 1 when requests wait for too long."""
    from fhir_gateway.delivery import health as healths

    with plain_errors():
        gateway = open_gateway()
        parts = gateway.parts
        with gateway.database.transaction() as tx:
            read = healths.read(tx, parts.timing, now=parts.clock())
        gateway.close()
    if as_json:
        show_json(read.as_json())
    else:
        say(f"{read.status}; {read.workers} delivering")
        show_table(
            ["Service", "Status", "Not delivered", "Oldest (s)", "Need attention", "Synthetic"],
            [
                [
                    s.service,
                    s.status,
                    str(s.undelivered),
                    str(s.oldest_undelivered_seconds or "-"),
                    str(s.needs_attention),
                    s.last_synthetic_arrived or "-",
                ]
                for s in read.services
            ],
            empty="No request was ever accepted.",
        )
        for name, reason in read.held.items():
            say(f"{name}: {reason}")
    if read.status == healths.FAIL:
        raise typer.Exit(1)


def pause(
    reason: Annotated[str, typer.Option(callback=said_why, help="Why; others read it.")],
    service: ServiceOption = None,
    texts: TextsOption = False,
) -> None:
    """Send nothing to an EPR, or no confirmations, until `queue resume`. Requests wait. Who did it,
    when and why is recorded."""
    from fhir_gateway.delivery import pausing

    with plain_errors():
        gateway = open_gateway()
        name = _neighbour(gateway, service, texts)
        pausing.pause(gateway.parts, name, who=who(), why=reason)
        gateway.close()
    say(f"{name} is paused.")


def resume(service: ServiceOption = None, texts: TextsOption = False) -> None:
    """Go on sending, also when the circuit is open because of failures, or the EPR asked for more
    patience. Who did it and when is recorded."""
    from fhir_gateway.delivery import pausing

    with plain_errors():
        gateway = open_gateway()
        name = _neighbour(gateway, service, texts)
        stopped = pausing.resume(gateway.parts, name, who=who())
        gateway.close()
    say(f"{name} goes on." if stopped else f"{name} was not paused.")


def synthetic(
    response: Annotated[
        Path, typer.Argument(help="A completed QuestionnaireResponse about an invented patient.")
    ],
    service: Annotated[str, typer.Option(help="The service it is for.")],
) -> None:
    """Send one synthetic request all the way, to prove that it works."""
    from fhir_gateway.delivery import synthetic as synthetics
    from fhir_gateway.fhir import json as fhir_json

    with plain_errors():
        if not response.is_file():
            fail(f"There is no file {response}.")
        content = fhir_json.parse(response.read_bytes())
        gateway = open_gateway()
        check_service(gateway, service)
        reference = synthetics.send_one(gateway.parts, gateway.engine, service, content)
        gateway.close()
    say(f"{reference}. Follow it with `fhir-gateway queue show {reference}`.")


def _neighbour(gateway: Gateway, service: str | None, texts: bool) -> str:
    from fhir_gateway.delivery import confirm, gate

    if (service is None) is not texts:
        fail("Say either --service NAME or --texts.", code=2)
    if service is None:
        return confirm.NEIGHBOUR
    check_service(gateway, service)
    with gateway.database.transaction() as tx:
        return gate.epr_name(gateway.parts.service(tx, service))


def check_service(gateway: Gateway, slug: str) -> None:
    """End the command with a sentence when there is no such service."""
    from fhir_gateway.store import services

    with gateway.database.transaction() as tx:
        there = services.find(tx, slug) is not None
    if not there:
        gateway.close()
        fail(f"There is no service '{slug}'. `fhir-gateway service list` shows all.")
