"""The audit: `audit list`, `audit verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fhir_gateway.cli.opening import open_gateway, who
from fhir_gateway.cli.terminal import AsJson, fail, plain_errors, say, show_json, show_table

if TYPE_CHECKING:
    from datetime import datetime

    from fhir_gateway.store.audit_chain import End

app = typer.Typer(no_args_is_help=True, help="The record of who did what (AuditEvents).")


@app.command("list")
def list_events(
    since: Annotated[
        str | None,
        typer.Option(help="From this day or moment on, such as 2026-11-25 or 2026-11-25T10:00Z."),
    ] = None,
    before: Annotated[str | None, typer.Option(help="Until before this day or moment.")] = None,
    agent: Annotated[
        str, typer.Option(help="By this client (its id) or operator (user@machine).")
    ] = "",
    entity: Annotated[
        str,
        typer.Option(help="About this: Type/id, or SYSTEM|VALUE of an identifier."),
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List events, newest first. They say whose record was seen, and reading them is an event."""
    from fhir_gateway.audit import operators
    from fhir_gateway.store import audit_log

    query = audit_log.Query(
        since=_moment(since), before=_moment(before), agent=agent, reference=entity
    )
    named = ", ".join(f"{n} {v}" for n, v in (("since", since), ("agent", agent)) if v)
    with plain_errors():
        gateway = open_gateway()
        with gateway.database.transaction() as tx:
            found = audit_log.search(tx, query, limit=limit)
            operators.of_reading(
                tx,
                who=who(),
                asked=f"{len(found)} events {named}".strip(),
                observer=gateway.site.base_url,
                now=gateway.parts.clock(),
            )
        gateway.close()
    if as_json:
        show_json(found)
        return
    show_table(
        ["When", "What", "Who", "About", "Outcome"],
        [_row(event) for event in found],
        empty="There are no such events.",
    )


@app.command("verify")
def verify(
    against: Annotated[
        Path | None,
        typer.Option(
            help="What an earlier `audit verify --json` printed: also tells whether the newest "
            "events of then were cut off.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that no event was changed, added or taken out; exit status 1 when one was."""
    from fhir_gateway.store import audit_chain

    earlier = _earlier(against) if against else None
    with plain_errors():
        gateway = open_gateway()
        with gateway.database.transaction() as tx:
            checked = audit_chain.check(tx, earlier)
        gateway.close()
    if as_json:
        ends = {
            str(chain): {"position": end.position, "mac": end.mac}
            for chain, end in sorted(checked.ends.items())
        }
        show_json({"events": checked.events, "problems": checked.problems, "ends": ends})
    else:
        for problem in checked.problems:
            say(problem)
        say(f"{checked.events} events, {len(checked.problems) or 'no'} problems.")
    if checked.problems:
        raise typer.Exit(1)


def _moment(text: str | None) -> datetime | None:
    from datetime import UTC, datetime

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text} is no day or moment. Write 2026-11-25 or 2026-11-25T10:00Z.", code=2)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _earlier(file: Path) -> dict[int, End]:
    import json

    from fhir_gateway.store.audit_chain import End

    try:
        ends = json.loads(file.read_text())["ends"]
        return {int(c): End(int(e["position"]), str(e["mac"])) for c, e in ends.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        fail(f"{file} is not what `audit verify --json` printed.", code=2)


def _row(event: dict[str, Any]) -> list[str]:
    agent = event["agent"][0]["who"]
    about = [
        what.get("reference")
        or what.get("display")
        or (what.get("identifier") or {}).get("value", "")
        for entity in event.get("entity", [])
        if (what := entity.get("what")) and entity.get("type", {}).get("code") != "XrequestId"
    ]
    outcome = {"0": "done", "4": "refused", "8": "failed"}.get(event["outcome"], event["outcome"])
    return [
        event["recorded"],
        event["subtype"][0].get("display") or event["subtype"][0]["code"],
        agent.get("display") or agent["identifier"]["value"],
        " ".join(about),
        f"{outcome} {event.get('outcomeDesc', '')}".strip(),
    ]
