"""The delivery queue: `queue list`, `show`, `retry`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fhir_gateway.cli.terminal import AsJson, fail, plain_errors, say, show_json, show_table

if TYPE_CHECKING:
    from fhir_gateway.app import Gateway
    from fhir_gateway.store.requests import Request

app = typer.Typer(no_args_is_help=True, help="Requests on their way to the EPRs.")

RequestArgument = Annotated[str, typer.Argument(help="The request's id or its reference.")]


@app.command("list")
def list_requests(
    state: Annotated[
        list[str] | None,
        typer.Option(
            help="Only requests in this state: accepted, traced, mapped, delivered, confirmed or "
            "needs-attention. Can be given several times. Default: all that are not confirmed."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List requests, oldest first. Shows nothing that a patient typed."""
    from fhir_gateway.store import listing
    from fhir_gateway.store.requests import RequestState

    with plain_errors():
        try:
            states = tuple(RequestState(name) for name in state or ())
        except ValueError:
            fail(f"A state is one of {', '.join(RequestState)}.", code=2)
        wanted = states or tuple(s for s in RequestState if s is not RequestState.CONFIRMED)
        gateway = _gateway()
        with gateway.database.transaction() as tx:
            found = listing.in_states(tx, wanted, limit=limit)
        gateway.close()
    if as_json:
        show_json(
            [
                {
                    "id": r.id,
                    "reference": r.reference,
                    "service": r.service_slug,
                    "state": r.state,
                    "accepted": r.accepted_at.isoformat(),
                    "updated": r.updated_at.isoformat(),
                }
                for r in found
            ]
        )
        return
    show_table(
        ["Reference", "State", "Service", "Accepted", "Last moved"],
        [
            [
                r.reference,
                r.state,
                r.service_slug,
                f"{r.accepted_at:%Y-%m-%d %H:%M}Z",
                f"{r.updated_at:%Y-%m-%d %H:%M}Z",
            ]
            for r in found
        ],
        empty="Nothing is waiting.",
    )


@app.command("show")
def show_request(request: RequestArgument, as_json: AsJson = False) -> None:
    """Show every move of one request, and what it became in the EPR."""
    from fhir_gateway.store import attempts, requests

    with plain_errors():
        gateway = _gateway()
        found = _find(gateway, request)
        with gateway.database.transaction() as tx:
            events = requests.events(tx, found.id)
            tries = attempts.history(tx, found.id)
        gateway.close()
    if as_json:
        show_json(
            {
                "id": found.id,
                "reference": found.reference,
                "service": found.service_slug,
                "state": found.state,
                "delivered_as": found.delivered_as,
                "events": [
                    {"state": e.state, "at": e.at.isoformat(), "detail": e.detail} for e in events
                ],
                "attempts": [
                    {"sent": a.sent_at.isoformat(), "outcome": a.outcome or "unknown"}
                    for a in tries
                ],
            }
        )
        return
    say(f"{found.reference} ({found.id}), service {found.service_slug}: {found.state}")
    show_table(
        ["When", "What", "Detail"],
        [[f"{e.at:%Y-%m-%d %H:%M:%S}Z", e.state, e.detail] for e in events],
        empty="",
    )
    for attempt in tries:
        say(f"Sent {attempt.sent_at:%Y-%m-%d %H:%M:%S}Z: {attempt.outcome or 'outcome unknown'}")
    for reference in found.delivered_as:
        say(f"In the EPR: {reference}")


@app.command("retry")
def retry(
    request: RequestArgument,
    remap: Annotated[
        bool, typer.Option(help="Make what is sent anew, after the mapping was mended.")
    ] = False,
) -> None:
    """Let a request that needs attention go on where it stopped."""
    from fhir_gateway.store import requests

    with plain_errors():
        gateway = _gateway()
        found = _find(gateway, request)
        now = gateway.parts.clock()
        with gateway.database.transaction() as tx:
            reopened = requests.reopen(tx, found.id, remap=remap, now=now)
            if reopened:
                suffix = f".retry-{int(now.timestamp())}"
                gateway.engine.enqueue(tx, found.id, found.service_slug, suffix)
        gateway.close()
    if not reopened:
        fail(f"{found.reference} does not need attention: it is {found.state}.")
    say(f"{found.reference} goes on. See `fhir-gateway queue show {found.reference}`.")


def _gateway() -> Gateway:
    from fhir_gateway.app import build
    from fhir_gateway.settings import load

    gateway = build(load())
    gateway.prepare()
    return gateway


def _find(gateway: Gateway, name: str) -> Request:
    from fhir_gateway.store import requests

    with gateway.database.transaction() as tx:
        found = requests.find(tx, name) or requests.by_reference(tx, name.upper())
    if found is None:
        fail("There is no request with this id or reference.")
    return found
