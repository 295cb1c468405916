"""Services: `service import`, `list`, `show`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fhir_gateway.cli.terminal import AsJson, fail, plain_errors, say, show_json, show_table

if TYPE_CHECKING:
    from fhir_gateway.app import Gateway
    from fhir_gateway.provider.service import Service

app = typer.Typer(no_args_is_help=True, help="Hospital services that patients can contact.")


@app.command("import")
def import_service(
    file: Annotated[
        Path,
        typer.Argument(
            help="FHIR Bundle (JSON) with a HealthcareService, its Organization and the "
            "Endpoint of its EPR. docs/operate.md has an example.",
            exists=True,
            dir_okay=False,
        ),
    ],
    check_epr: Annotated[
        bool, typer.Option("--check-epr/--no-check-epr", help="Ask the EPR what it can take.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Add a service, or replace the one with the same short name."""
    from fhir_gateway import shipped
    from fhir_gateway.app import build
    from fhir_gateway.delivery.service_parts import unknown_parts
    from fhir_gateway.delivery.showing import show_services
    from fhir_gateway.provider.service import ServiceRefused, read_service
    from fhir_gateway.settings import load
    from fhir_gateway.store import services

    with plain_errors():
        gateway = build(load())
        gateway.prepare()
        bundle = shipped.read_resource(file)
        try:
            service = read_service(bundle)
        except ServiceRefused as error:
            fail(f"{file} does not describe a service:", *(f"  - {p}" for p in error.problems))
        problems = unknown_parts(gateway.parts, service)
        if problems:
            fail(f"{file} names what this gateway does not have:", *(f"  - {p}" for p in problems))
        with gateway.database.transaction() as tx:
            new = services.save(tx, service.slug, bundle, now=gateway.parts.clock())
            show_services(tx, now=gateway.parts.clock())
        warnings = _epr_warnings(gateway, service) if check_epr else []
        gateway.close()
    if as_json:
        show_json({"service": service.slug, "new": new, "warnings": warnings})
        return
    say(f"{'Added' if new else 'Replaced'} the service '{service.slug}' ({service.name}).")
    for warning in warnings:
        say(f"Warning: {warning}")
    say(f"Text a link: fhir-gateway link send --service {service.slug} --mobile 07700900123")


@app.command("list")
def list_services(as_json: AsJson = False) -> None:
    """List the services."""
    from fhir_gateway.app import build
    from fhir_gateway.provider.service import read_service
    from fhir_gateway.settings import load
    from fhir_gateway.store import services

    with plain_errors():
        gateway = build(load())
        gateway.prepare()
        with gateway.database.transaction() as tx:
            found = [read_service(services.find(tx, slug) or {}) for slug in services.slugs(tx)]
        gateway.close()
    if as_json:
        show_json(
            [
                {"service": s.slug, "name": s.name, "ods": s.ods_code, "epr": s.epr_base}
                for s in found
            ]
        )
        return
    show_table(
        ["Service", "Name", "Organisation", "EPR"],
        [[s.slug, s.name, f"{s.organisation_name} ({s.ods_code})", s.epr_base] for s in found],
        empty="There is no service yet. Add one with `fhir-gateway service import FILE`.",
    )


@app.command("show")
def show_service(
    slug: Annotated[str, typer.Argument(help="The service's short name.")], as_json: AsJson = False
) -> None:
    """Show one service, and how many requests ended because of an emergency."""
    from fhir_gateway.app import build
    from fhir_gateway.journey.requests import stops
    from fhir_gateway.provider.service import read_service
    from fhir_gateway.settings import load
    from fhir_gateway.store import services

    with plain_errors():
        gateway = build(load())
        gateway.prepare()
        with gateway.database.transaction() as tx:
            bundle = services.find(tx, slug)
            stopped = stops(tx, slug)
        gateway.close()
        if bundle is None:
            fail(f"There is no service '{slug}'. `fhir-gateway service list` shows all.")
        service = read_service(bundle)
    if as_json:
        show_json({"service": slug, "stopped_for_emergency": stopped, "bundle": bundle})
        return
    say(f"{service.name} ({slug}) of {service.organisation_name} ({service.ods_code})")
    say(f"Replies within {service.response_time}; EPR at {service.epr_base}")
    for request_type in service.request_types:
        say(f"  - {request_type.questionnaire} by mapping {request_type.mapping}")
    say(f"Requests that ended because of an emergency: {stopped}")


def _epr_warnings(gateway: Gateway, service: Service) -> list[str]:
    """What the EPR's CapabilityStatement says against delivering to it."""
    from fhir_gateway.cli.epr import assessed

    found = assessed(gateway, service)
    if isinstance(found, str):
        return [f"{found}. Requests will wait until it can be reached."]
    texts = [*found.problems, *found.notes]
    return [f"The EPR may refuse requests: {text}" for text in texts]
