"""The delivery queue: `queue list`, `show`, `retry`, `resolve`; and the rest of `queue` from
queue_flow.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fhir_gateway.cli import queue_flow
from fhir_gateway.cli.opening import open_gateway, who
from fhir_gateway.cli.saying_why import said_why
from fhir_gateway.cli.terminal import AsJson, fail, plain_errors, say, show_json, show_table

if TYPE_CHECKING:
    from fhir_gateway.app import Gateway
    from fhir_gateway.store.requests import Request

app = typer.Typer(no_args_is_help=True, help="Requests on their way to the EPRs.")

RequestArgument = Annotated[str, typer.Argument(help="The request's id or its reference.")]
for _command in (queue_flow.health, queue_flow.pause, queue_flow.resume, queue_flow.synthetic):
    app.command()(_command)


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
        gateway = open_gateway()
        with gateway.database.transaction() as tx:
            found = listing.in_states(tx, wanted, limit=limit)
            why = listing.last_details(tx, [r.id for r in found], RequestState.NEEDS_ATTENTION)
        gateway.close()
    # A request that goes on again needs no explanation any more.
    reasons = {r.id: why.get(r.id, "") if r.state == "needs-attention" else "" for r in found}
    if as_json:
        show_json(
            [
                {
                    "id": r.id,
                    "reference": r.reference,
                    "service": r.service_slug,
                    "state": r.state,
                    "reason": reasons[r.id],
                    "accepted": r.accepted_at.isoformat(),
                    "updated": r.updated_at.isoformat(),
                }
                for r in found
            ]
        )
        return
    show_table(
        ["Reference", "State", "Service", "Accepted", "Last moved", "Why"],
        [
            [
                r.reference,
                r.state,
                r.service_slug,
                f"{r.accepted_at:%Y-%m-%d %H:%M}Z",
                f"{r.updated_at:%Y-%m-%d %H:%M}Z",
                reasons[r.id],
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
        gateway = open_gateway()
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


ReasonOption = Annotated[
    str,
    typer.Option(
        "--reason",
        callback=said_why,
        help="Why; it is kept with the request. Nothing about patients.",
    ),
]


@app.command("retry")
def retry(
    reason: ReasonOption,
    request: Annotated[
        str | None, typer.Argument(help="The request's id or its reference.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="All that need attention; --service and --why narrow it.")
    ] = False,
    service: Annotated[str | None, typer.Option(help="With --all: only of this service.")] = None,
    why: Annotated[
        str, typer.Option(help="With --all: only where the reason begins so, such as epr-403.")
    ] = "",
    remap: Annotated[
        bool, typer.Option(help="Make what is sent anew, after the mapping was mended.")
    ] = False,
) -> None:
    """Replay: let requests that need attention go on where they stopped. Who did it, when and why
    is recorded with each of them."""
    from fhir_gateway.delivery import replay

    if (request is None) is not every:
        fail("Name one request, or say --all.", code=2)
    if not every and (service or why):
        fail("--service and --why narrow --all: they say nothing of one request.", code=2)
    with plain_errors():
        gateway = open_gateway()
        if request is not None:
            found = _find(gateway, request)
            chosen = [found.id]
        else:
            if service is not None:
                queue_flow.check_service(gateway, service)
            chosen = replay.choose(gateway.parts, service, why)
        done = [
            name
            for name in chosen
            if replay.replay(
                gateway.parts, gateway.engine, name, remap=remap, who=who(), why=reason
            )
        ]
        gateway.close()
    if request is not None and not done:
        fail(f"{found.reference} does not need attention: it is {found.state}.")
    if not chosen:
        say("No request needs attention, of those that you chose.")
        return
    see = "list" if request is None else f"show {found.reference}"
    say(f"{len(done)} of {len(chosen)} go on. See `fhir-gateway queue {see}`.")


@app.command("resolve")
def resolve(
    request: RequestArgument,
    reason: ReasonOption,
    arrived: Annotated[
        str | None,
        typer.Option(help="It is in the EPR, under this name: TYPE/ID, as ServiceRequest/123."),
    ] = None,
    not_arrived: Annotated[
        bool, typer.Option("--not-arrived", help="It is not in the EPR: send it again.")
    ] = False,
) -> None:
    """Say what you saw in the EPR of a request whose outcome is unknown. Who did it, when and why
    is recorded with it."""
    from fhir_gateway.delivery import replay

    if (arrived is None) is not not_arrived:
        fail("Say either --arrived TYPE/ID or --not-arrived.", code=2)
    with plain_errors():
        gateway = open_gateway()
        found = _find(gateway, request)
        done = replay.resolve(
            gateway.parts, gateway.engine, found.id, arrived, who=who(), why=reason
        )
        gateway.close()
    if not done:
        fail(f"{found.reference} does not need attention: it is {found.state}.")
    say(f"{found.reference}: recorded. See `fhir-gateway queue show {found.reference}`.")


def _find(gateway: Gateway, name: str) -> Request:
    from fhir_gateway.store import requests

    with gateway.database.transaction() as tx:
        found = requests.find(tx, name) or requests.by_reference(tx, name.upper())
    if found is None:
        fail("There is no request with this id or reference.")
    return found
