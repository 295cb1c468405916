"""Clients of the FHIR API: `client add`, `list`, `show`, `revoke`, `token`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fhir_gateway.cli.opening import open_gateway, who
from fhir_gateway.cli.terminal import AsJson, fail, plain_errors, say, show_json, show_table

if TYPE_CHECKING:
    from fhir_gateway.app import Gateway
    from fhir_gateway.store.clients import Client

app = typer.Typer(no_args_is_help=True, help="Systems that may call the FHIR API.")

ClientArgument = Annotated[str, typer.Argument(help="The client's id, or its name.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What people call it, such as 'Trust portal'.")],
    scope: Annotated[
        list[str],
        typer.Option(help="What it may do, such as system/Task.rus. Can be given several times."),
    ],
    ods: Annotated[
        list[str] | None,
        typer.Option(help="ODS code whose data it may see. Can be given several times."),
    ] = None,
    jwks: Annotated[
        Path | None, typer.Option(help="File with its public key set (JWKS).", dir_okay=False)
    ] = None,
    jwks_url: Annotated[
        str | None, typer.Option(help="The https address where it keeps its public key set.")
    ] = None,
    admin: Annotated[
        bool,
        typer.Option(
            "--admin", help="It sees every provider, and may write Questionnaires and services."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Register a client. It asks for tokens with assertions signed by a key of its key set."""
    from fhir_gateway.audit import operators
    from fhir_gateway.auth import scopes
    from fhir_gateway.store import clients, services

    words = " ".join(scope).split()
    codes = sorted(set(ods or ()))
    _check(words, codes, admin)
    with plain_errors():
        keys = _keys(jwks, jwks_url)
        gateway = open_gateway()
        now = gateway.parts.clock()
        warnings = _fetch_warnings(gateway, jwks_url)
        with gateway.database.transaction() as tx:
            warnings += [
                f"No service of {code} is there yet."
                for code in codes
                if not services.of_providers(tx, [code])
            ]
            client = clients.add(
                tx,
                name,
                providers=codes,
                scopes=str(scopes.parse(" ".join(words))),
                admin=admin,
                jwks=keys,
                jwks_url=jwks_url,
                now=now,
            )
            operators.of_client(
                tx,
                "client-add",
                client.id,
                name,
                who=who(),
                providers=codes,
                observer=gateway.site.base_url,
                now=now,
            )
        token_url = _token_url(gateway)
        gateway.close()
    if as_json:
        show_json({**_as_json(client), "token_endpoint": token_url, "warnings": warnings})
        return
    say(f"Registered {name}. Tell its team:")
    say(f"  client id       {client.id}")
    say(f"  token endpoint  {token_url}")
    for warning in warnings:
        say(f"Warning: {warning}")


@app.command("list")
def list_clients(as_json: AsJson = False) -> None:
    """List the clients, revoked ones too."""
    from fhir_gateway.store import clients

    with plain_errors():
        gateway = open_gateway()
        with gateway.database.transaction() as tx:
            found = clients.listed(tx)
        gateway.close()
    if as_json:
        show_json([_as_json(client) for client in found])
        return
    show_table(
        ["Id", "Name", "Providers", "Scopes", "State"],
        [[c.id, c.name, _providers(c), c.scopes, _state(c)] for c in found],
        empty="No client is registered.",
    )


@app.command("show")
def show(client: ClientArgument, as_json: AsJson = False) -> None:
    """Show one client."""
    with plain_errors():
        gateway = open_gateway()
        found = _find(gateway, client)
        gateway.close()
    if as_json:
        show_json(_as_json(found))
        return
    say(f"{found.name} ({found.id}): {_state(found)}")
    say(f"  providers   {_providers(found)}")
    say(f"  scopes      {found.scopes}")
    say(f"  key set     {found.jwks_url or 'by value'}")
    say(f"  registered  {found.created_at:%Y-%m-%d %H:%M}Z")


@app.command("revoke")
def revoke(client: ClientArgument) -> None:
    """End a client: its tokens are good no more, and it gets no new ones."""
    from fhir_gateway.audit import operators
    from fhir_gateway.store import clients

    with plain_errors():
        gateway = open_gateway()
        found = _find(gateway, client)
        now = gateway.parts.clock()
        with gateway.database.transaction() as tx:
            done = clients.revoke(tx, found.id, now=now)
            if done:
                operators.of_client(
                    tx,
                    "client-revoke",
                    found.id,
                    found.name,
                    who=who(),
                    providers=found.providers,
                    observer=gateway.site.base_url,
                    now=now,
                )
        gateway.close()
    say(f"{found.name} ({found.id}) {'is revoked' if done else 'was revoked before'}.")


@app.command("token")
def token(
    demo: Annotated[bool, typer.Option("--demo", help="For the demo. There is no other use.")],
    data_dir: Annotated[Path, typer.Option(help="Data folder of the demo that runs.")] = Path(
        "demo-data"
    ),
    admin: Annotated[
        bool, typer.Option("--admin", help="Of the demo's administrator, not of its portal.")
    ] = False,
) -> None:
    """Print a token for the demo that runs, good for five minutes, to try its API with curl.

    It is got as any client gets one: with an assertion signed by a key in the demo's data folder.
    """
    from fhir_gateway.demo import read_addresses
    from fhir_gateway.demo_clients import ADMIN, PORTAL, fetch_token

    if not demo:
        fail("Tokens of other systems are asked for by them. Say --demo.", code=2)
    with plain_errors():
        fhir_base = read_addresses(data_dir)["fhir"]
        typer.echo(fetch_token(fhir_base, data_dir, ADMIN if admin else PORTAL))


def _check(words: list[str], codes: list[str], admin: bool) -> None:
    from fhir_gateway.auth import scopes
    from fhir_gateway.fhir.identifiers import is_ods_code
    from fhir_gateway.rest.access import ADMIN_TYPES

    if not words:
        fail("Say what it may do: --scope system/Task.rs.", code=2)
    unknown = scopes.unknown(words)
    if unknown:
        fail(
            f"Not known as a scope: {', '.join(unknown)}.",
            "A scope is system/TYPE.LETTERS, with letters of c, r, u, d, s in that order; or, as "
            "in SMART 1, system/TYPE.read, .write or .*; TYPE may be *.",
            code=2,
        )
    wrong = [code for code in codes if not is_ods_code(code)]
    if wrong:
        fail(f"No ODS code: {', '.join(wrong)}. It has 3 to 12 capital letters and digits.", code=2)
    if not codes and not admin:
        fail("Say whose data it may see: --ods CODE, or --admin for all.", code=2)
    granted = scopes.parse(" ".join(words)).granted
    writes = sorted({t for t, letter in granted if t in ADMIN_TYPES and letter in "cud"})
    if writes and not admin:
        fail(f"Only a client with --admin may write {', '.join(writes)}.", code=2)


def _keys(file: Path | None, url: str | None) -> str | None:
    import json

    from fhir_gateway.auth.addresses import check_form
    from fhir_gateway.auth.assertions_checked import ALGORITHMS
    from fhir_gateway.auth.key_sets import read_key_set
    from fhir_gateway.errors import Refused
    from fhir_gateway.settings import load

    if (file is None) is (url is None):
        fail("Say where its keys are: either --jwks FILE or --jwks-url ADDRESS.", code=2)
    try:
        if file is None:
            check_form(url or "", load().key_set_hosts)
            return None
        return json.dumps({"keys": read_key_set(file.read_bytes(), ALGORITHMS)})
    except Refused as error:
        if error.code == "settings-refused":
            raise
        fail(f"{file or url}: {error}")


def _fetch_warnings(gateway: Gateway, url: str | None) -> list[str]:
    """Whether its keys can be had now."""
    from fhir_gateway.auth.assertions_checked import ALGORITHMS
    from fhir_gateway.auth.key_sets import KeySets
    from fhir_gateway.errors import GatewayError

    if url is None:
        return []
    try:
        KeySets(ALGORITHMS, gateway.settings.key_set_hosts).fetch(url)
    except GatewayError as error:
        return [f"Its key set cannot be used now. {error}"]
    return []


def _token_url(gateway: Gateway) -> str:
    from fhir_gateway.app import FHIR_BASE
    from fhir_gateway.rest.smart import TOKEN_PATH

    return f"{gateway.site.base_url}{FHIR_BASE}{TOKEN_PATH}"


def _find(gateway: Gateway, name: str) -> Client:
    from fhir_gateway.store import clients

    with gateway.database.transaction() as tx:
        found = clients.named(tx, name)
    if not found:
        fail("There is no client with this id or name. See `fhir-gateway client list`.")
    if len(found) > 1:
        fail(f"{len(found)} clients have this name. Use the id: `fhir-gateway client list`.")
    return found[0]


def _state(client: Client) -> str:
    return f"revoked {client.revoked_at:%Y-%m-%d %H:%M}Z" if client.revoked_at else "active"


def _providers(client: Client) -> str:
    return "all (admin)" if client.admin else " ".join(sorted(client.providers))


def _as_json(client: Client) -> dict[str, Any]:
    return {
        "id": client.id,
        "name": client.name,
        "providers": sorted(client.providers),
        "admin": client.admin,
        "scopes": client.scopes,
        "jwks_url": client.jwks_url,
        "created": client.created_at.isoformat(),
        "revoked": client.revoked_at.isoformat() if client.revoked_at else None,
    }
