"""The demo: `demo`, and its check of itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fhir_gateway.cli.terminal import AsJson, plain_errors, say, show_json

if TYPE_CHECKING:
    from fhir_gateway.demo import Demo

DEFAULT_FOLDER = Path("demo-data")


def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the gateway; the rest take the next.")
    ] = 8080,
    data_dir: Annotated[
        Path, typer.Option(help="Folder for the demo's data; it is kept between runs.")
    ] = DEFAULT_FOLDER,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    selfcheck: Annotated[
        bool,
        typer.Option(
            "--selfcheck",
            help="Do not start: send one medical and one admin request through the pages of the "
            "demo that runs with this data folder, and print what arrived.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the whole story on this machine: gateway, PDS, EPR and phone, with invented people.

    Open the address it prints: the page there leads you from a text message to the request in the
    EPR's inbox. Nothing is sent to anybody.
    """
    if selfcheck:
        _selfcheck(data_dir, as_json=as_json)
        return
    from fhir_gateway import logs
    from fhir_gateway.demo import prepare, run

    logs.configure("text")
    with plain_errors():
        prepared = prepare(data_dir, port, host)
    run(prepared, ready=_say_ready)


def _say_ready(running: Demo) -> None:
    from fhir_gateway.demo_clients import own_command, token_command

    addresses = running.addresses
    say("")
    say(f"The demo is ready. Open  {addresses.gateway}")
    say("")
    say(f"  gateway  {addresses.gateway}   its FHIR API {addresses.fhir}")
    say(f"  PDS      {addresses.pds}")
    say(f"  EPR      {addresses.epr}   its inbox {addresses.inbox}")
    say(f"  phone    {addresses.phone}")
    say("")
    say(f"Try its API: TOKEN=$({token_command(running.data_dir)})")
    say(f'  curl -H "Authorization: Bearer $TOKEN" {addresses.fhir}/Task')
    say(f"Check it: {own_command()} demo --selfcheck --data-dir {running.data_dir}")
    say("Stop it with Ctrl-C.")


def _selfcheck(data_dir: Path, *, as_json: bool) -> None:
    from fhir_gateway.demo import read_addresses
    from fhir_gateway.sandbox.selfcheck import check

    with plain_errors():
        results = check(read_addresses(data_dir), say=(lambda _: None) if as_json else say)
    if as_json:
        show_json([result.as_json() for result in results])
    else:
        for result in results:
            say("")
            say(f"{result.kind}: {'right' if result.right else 'WRONG'}")
            for line in result.lines:
                say(f"  {line}")
    if not all(result.right for result in results):
        raise typer.Exit(1)
