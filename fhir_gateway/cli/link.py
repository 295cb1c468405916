"""Links: `link send`, `make`, `revoke`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fhir_gateway.cli.terminal import AsJson, fail, plain_errors, say, show_json

if TYPE_CHECKING:
    from datetime import datetime

    from fhir_gateway.app import Gateway
    from fhir_gateway.provider.service import Service

app = typer.Typer(no_args_is_help=True, help="Links that lead patients to a service.")

ServiceOption = Annotated[str, typer.Option("--service", help="The service's short name.")]
DaysOption = Annotated[
    int | None, typer.Option("--days", min=1, max=3650, help="Close the link after so many days.")
]


@app.command("send")
def send(
    service: ServiceOption,
    mobile: Annotated[str, typer.Option(help="UK mobile number of the patient.")],
    nhs_number: Annotated[
        str | None,
        typer.Option(help="Make the link for this patient alone, by NHS number."),
    ] = None,
    days: DaysOption = None,
    as_json: AsJson = False,
) -> None:
    """Text a patient a link to a service."""
    from fhir_gateway.fhir.identifiers import normalise_nhs_number
    from fhir_gateway.journey.invitations import TooManyTexts, send_link
    from fhir_gateway.sms.number import normalise_mobile

    number = normalise_mobile(mobile)
    if number is None:
        fail("That is not a UK mobile number. Give it like 07700 900982.", code=2)
    nhs = normalise_nhs_number(nhs_number) if nhs_number else None
    if nhs_number and nhs is None:
        fail("That is not a valid NHS number.", code=2)
    with plain_errors():
        gateway, found = _open(service)
        try:
            invitation = send_link(
                gateway.database,
                gateway.parts.sender,
                found,
                gateway.site.base_url,
                caps=gateway.parts.caps,
                mobile=number,
                nhs_number=nhs,
                expires_at=_expiry(gateway, days),
                now=gateway.parts.clock(),
            )
        except TooManyTexts:
            fail("This number has had its texts for today. Try again tomorrow.")
        gateway.close()
    if as_json:
        show_json({"link": invitation.link_id, "url": invitation.url, "text": invitation.text_id})
        return
    say(f"Sent. The link is {invitation.url}")
    say(f"To close it: fhir-gateway link revoke {invitation.link_id}")


@app.command("make")
def make(service: ServiceOption, days: DaysOption = None, as_json: AsJson = False) -> None:
    """Make a link to a service without sending it, for a letter, a poster or a QR code."""
    from fhir_gateway.journey.invitations import make_link

    with plain_errors():
        gateway, found = _open(service)
        made = make_link(
            gateway.database,
            found,
            gateway.site.base_url,
            expires_at=_expiry(gateway, days),
            now=gateway.parts.clock(),
        )
        gateway.close()
    if as_json:
        show_json({"link": made.link_id, "url": made.url})
        return
    say(made.url)
    say(f"To close it: fhir-gateway link revoke {made.link_id}")


@app.command("revoke")
def revoke(
    link_id: Annotated[str, typer.Argument(help="The id that `send` or `make` printed.")],
) -> None:
    """Close a link for good. Requests that were sent through it are not touched."""
    from fhir_gateway.app import build
    from fhir_gateway.settings import load
    from fhir_gateway.store import links

    with plain_errors():
        gateway = build(load())
        gateway.prepare()
        with gateway.database.transaction() as tx:
            closed = links.revoke(tx, link_id, now=gateway.parts.clock())
        gateway.close()
    if not closed:
        fail("There is no link with this id.")
    say("Closed. The link now leads to a page that says it does not work.")


def _open(slug: str) -> tuple[Gateway, Service]:
    from fhir_gateway.app import build
    from fhir_gateway.settings import load

    gateway = build(load())
    gateway.prepare()
    with gateway.database.transaction() as tx:
        service = gateway.site.service(tx, slug)
    if service is None:
        fail(f"There is no service '{slug}'. `fhir-gateway service list` shows all.")
    return gateway, service


def _expiry(gateway: Gateway, days: int | None) -> datetime | None:
    from datetime import timedelta

    return gateway.parts.clock() + timedelta(days=days) if days else None
