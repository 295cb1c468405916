"""EPRs: `epr check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fhir_gateway.cli.terminal import AsJson, fail, plain_errors, say, show_json, show_table

if TYPE_CHECKING:
    from fhir_gateway.app import Gateway
    from fhir_gateway.epr.assessment import Assessment
    from fhir_gateway.epr.capability import Capability
    from fhir_gateway.provider.endpoint import EprEndpoint
    from fhir_gateway.provider.service import Service

app = typer.Typer(no_args_is_help=True, help="The EPRs that requests are delivered to.")


@app.callback()
def _group() -> None:
    """The EPRs that requests are delivered to."""


@app.command("check")
def check(
    service: Annotated[
        str | None, typer.Argument(help="A service's short name. Default: all services.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Instead of a service: the base of a FHIR server.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            help="Instead of a service: a saved CapabilityStatement (JSON).",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what an EPR can and cannot take by its /metadata, and which strategy follows.

    Exit status 1 when a service is configured for what its EPR does not declare.
    """
    if sum(given is not None for given in (service, url, file)) > 1:
        fail("Name a service, or --url, or --file.", code=2)
    with plain_errors():
        found: list[tuple[str, EprEndpoint | None, Assessment | str]]
        if file is not None:
            found = [(str(file), None, _from_file(file))]
        elif url is not None:
            found = [(url, None, _from_url(url))]
        else:
            found = _from_services(service)
    if as_json:
        show_json([_as_json(name, endpoint, one) for name, endpoint, one in found])
    else:
        for name, endpoint, one in found:
            _show(name, endpoint, one)
        if not found:
            say("There is no service yet. Add one with `fhir-gateway service import FILE`.")
    if any(isinstance(one, str) or one.problems for _, _, one in found):
        raise typer.Exit(1)


def _from_file(file: Path) -> Assessment:
    from fhir_gateway.epr import assessment, capability
    from fhir_gateway.errors import Refused
    from fhir_gateway.fhir import json as fhir_json
    from fhir_gateway.fhir import wire
    from fhir_gateway.fhir.types import as_dict

    content = file.read_bytes()
    is_json = content.lstrip()[:1] == b"{"
    parsed = fhir_json.parse(content, max_bytes=wire.MAX_BODY) if is_json else wire.decode(content)
    statement = as_dict(parsed)
    compact = isinstance(statement.get("resources"), dict)
    if statement.get("resourceType") != "CapabilityStatement" and not compact:
        raise Refused(f"{file} holds no CapabilityStatement.", code="no-statement")
    return assessment.assess(capability.read(statement))


def _from_url(url: str) -> Assessment:
    from fhir_gateway.epr import assessment, capability
    from fhir_gateway.epr.clients import EprClients
    from fhir_gateway.provider.endpoint import read_endpoint

    endpoint, problems = read_endpoint({"resourceType": "Endpoint", "address": url})
    if problems:
        fail(*(p.replace("Endpoint.address", "--url") for p in problems), code=2)
    # No credentials: /metadata is open, and an address typed here is not one configured for them.
    clients = EprClients()
    try:
        return assessment.assess(capability.read(clients.at(endpoint.address).metadata()))
    finally:
        clients.close()


def _from_services(slug: str | None) -> list[tuple[str, EprEndpoint | None, Assessment | str]]:
    from fhir_gateway.app import build
    from fhir_gateway.provider.service import read_service
    from fhir_gateway.settings import load
    from fhir_gateway.store import services

    gateway = build(load())
    gateway.prepare()
    try:
        with gateway.database.transaction() as tx:
            slugs = services.slugs(tx)
            if slug is not None and slug not in slugs:
                fail(f"There is no service '{slug}'. `fhir-gateway service list` shows all.")
            wanted = [slug] if slug else slugs
            found = [read_service(services.find(tx, one) or {}) for one in wanted]
        return [(one.slug, one.epr, assessed(gateway, one)) for one in found]
    finally:
        gateway.close()


def assessed(gateway: Gateway, service: Service) -> Assessment | str:
    """What the EPR of a service declares, against its configuration; a sentence when it cannot be
    asked."""
    from fhir_gateway.delivery.capabilities import assess_service
    from fhir_gateway.errors import GatewayError

    try:
        return assess_service(gateway.parts, service)
    except GatewayError as error:
        return str(error)


def _show(name: str, endpoint: EprEndpoint | None, found: Assessment | str) -> None:
    from fhir_gateway.epr.assessment import TYPES

    say(f"{name}: {endpoint.address}" if endpoint else name)
    if isinstance(found, str):
        say(f"  {found.rstrip('.')}. Requests wait until it can be asked.\n")
        return
    of = found.capability
    say(
        f"{of.software or 'unnamed software'}, FHIR {of.fhir_version or 'unknown'}, "
        f"formats {', '.join(of.formats) or 'not said'}"
    )
    say(f"Whole-system interactions: {', '.join(sorted(of.system_interactions)) or 'none'}\n")
    show_table(
        ["Resource", "create", "update", "If-None-Exist", "found by identifier"],
        [_row(of, name) for name in TYPES],
        empty="",
    )
    say("")
    show_table(
        ["Strategy", "fits", "because it"],
        [[f.strategy, "yes" if f.fits else "no", f.why] for f in found.fits],
        empty="",
    )
    say(f"\nIt follows: strategy '{found.strategy}', repeat '{found.repeat}'.")
    if endpoint:
        say(
            f"Configured: strategy '{endpoint.strategy}', repeat '{endpoint.repeat}', "
            f"patient '{endpoint.patient}'."
        )
    for note in found.notes:
        say(f"Note: {note}")
    for problem in found.problems:
        say(f"Must be mended: {problem}")
    say("")


def _row(of: Capability, name: str) -> list[str]:
    said = of.types.get(name)
    conditional = said.conditional_create if said else None
    return [
        name,
        _yes(of.can(name, "create")),
        _yes(of.can(name, "update")),
        "not said" if conditional is None else _yes(conditional),
        _yes(of.searches(name, "identifier")),
    ]


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _as_json(name: str, endpoint: EprEndpoint | None, found: Assessment | str) -> dict[str, Any]:
    from fhir_gateway.epr.assessment import TYPES

    if isinstance(found, str):
        return {"name": name, "ok": False, "reached": False, "problems": [found]}
    of = found.capability
    return {
        "name": name,
        "ok": not found.problems,
        "reached": True,
        "software": of.software,
        "fhirVersion": of.fhir_version,
        "formats": list(of.formats),
        "systemInteractions": sorted(of.system_interactions),
        "resources": {
            one: {
                "create": of.can(one, "create"),
                "update": of.can(one, "update"),
                "conditionalCreate": of.types[one].conditional_create if one in of.types else None,
                "foundByIdentifier": of.searches(one, "identifier"),
            }
            for one in TYPES
        },
        "strategies": {f.strategy: {"fits": f.fits, "why": f.why} for f in found.fits},
        "follows": {"strategy": found.strategy, "repeat": found.repeat},
        "configured": {
            "strategy": endpoint.strategy,
            "repeat": endpoint.repeat,
            "patient": endpoint.patient,
        }
        if endpoint
        else None,
        "notes": list(found.notes),
        "problems": list(found.problems),
    }
