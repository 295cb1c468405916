"""The stand-ins, each alone: `sandbox pds`, `epr`, `phone`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from fhir_gateway.cli.serve import check_port
from fhir_gateway.cli.terminal import fail, plain_errors, say

app = typer.Typer(
    no_args_is_help=True,
    help="Stand-ins for PDS, an EPR and mobile phones, with invented people. Never for real data.",
)

PortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]
HostOption = Annotated[str, typer.Option(help="Address to listen on.")]


@app.command("pds")
def pds(
    port: PortOption = 8081,
    host: HostOption = "127.0.0.1",
    application: Annotated[
        list[str] | None,
        typer.Option(
            help="API-KEY=JWKS-URL of an application that gets tokens at /oauth2/token. Can be "
            "given several times. Without any, every token is taken for good."
        ),
    ] = None,
    per_second: Annotated[
        float | None,
        typer.Option(help="More requests a second are answered 429. Default: no limit."),
    ] = None,
) -> None:
    """A stand-in for the PDS FHIR API with invented people: application-restricted access with a
    token, the open sandbox without."""
    from fhir_gateway.sandbox.pds.app import create_app

    check_port(port, host)
    say(
        f"PDS at http://{host}:{port}/personal-demographics/FHIR/R4, its people at http://{host}:{port}/"
    )
    keys = dict(one.partition("=")[::2] for one in application or ())
    _run(create_app(applications=keys, requests_per_second=per_second), host, port)


@app.command("epr")
def epr(
    port: PortOption = 8082,
    host: HostOption = "127.0.0.1",
    storage: Annotated[
        Path | None, typer.Option(help="SQLite file that keeps what arrives. Default: memory.")
    ] = None,
    token: Annotated[
        list[str] | None,
        typer.Option(help="A bearer token to let in. Without --token and --client everybody is."),
    ] = None,
    client: Annotated[
        list[str] | None,
        typer.Option(help="CLIENT-ID=JWKS-URL of a client of SMART Backend Services."),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="Name of a fault to switch on (see `sandbox faults`)."),
    ] = None,
) -> None:
    """A stand-in for a hospital's EPR: a FHIR R4 server and an inbox for staff."""
    from fhir_gateway.sandbox.epr.access import Access
    from fhir_gateway.sandbox.epr.app import create_app

    check_port(port, host)
    clients = dict(one.partition("=")[::2] for one in client or ())
    if not all(name and url for name, url in clients.items()):
        fail("A --client is CLIENT-ID=JWKS-URL.", code=2)
    access = Access(token or (), clients) if token or clients else None
    with plain_errors():
        application = create_app(storage=storage, access=access, faults=fault or ())
    say(f"FHIR at http://{host}:{port}/fhir, inbox at http://{host}:{port}/")
    say(f"Faults are switched at http://{host}:{port}/faults: {', '.join(fault or ['none'])}")
    _run(application, host, port)


@app.command("faults")
def faults(json_output: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """The faults that the stand-in EPR can have, each with what it does."""
    from fhir_gateway.sandbox.epr.injected.catalogue import FAULTS

    if json_output:
        sys.stdout.write(
            json.dumps([{"name": f.name, "does": f.sentence} for f in FAULTS.values()]) + "\n"
        )
        return
    width = max(map(len, FAULTS))
    for known in FAULTS.values():
        say(f"{known.name:{width}}  {known.sentence}")


@app.command("phone")
def phone(
    port: PortOption = 8083,
    host: HostOption = "127.0.0.1",
    storage: Annotated[
        Path | None, typer.Option(help="SQLite file that keeps the texts. Default: memory.")
    ] = None,
) -> None:
    """A stand-in for GOV.UK Notify and for every mobile phone."""
    from fhir_gateway.sandbox.phone.app import TEMPLATE_ID, api_key, create_app

    check_port(port, host)
    say(f"Notify at http://{host}:{port}, phones at http://{host}:{port}/")
    say(f"API key: {api_key()}")
    say(f"Template: {TEMPLATE_ID}")
    _run(
        create_app(storage=storage),
        host,
        port,
    )


def _run(application: Any, host: str, port: int) -> None:
    import uvicorn

    uvicorn.run(application, host=host, port=port, access_log=False, log_level="warning")
