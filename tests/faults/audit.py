"""What became of everything: our tables, the EPR's and the phone's are laid side by side."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass, field

import httpx
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from fhir_gateway.fhir.identifiers import REQUEST_ID
from fhir_gateway.fhir.types import as_list
from fhir_gateway.store.requests import RequestState
from fhir_gateway.store.tables import DeliveryAttemptRow, RequestEventRow, RequestRow
from tests.faults.stage import Stage

#: What a mapping may send that carries the identifier of the request.
_TYPES = (
    "ServiceRequest", "Communication", "Task", "QuestionnaireResponse", "DocumentReference",
    "Patient", "RelatedPerson",
)  # fmt: skip


@dataclass(slots=True)
class Audit:
    """`accepted`: requests in our tables. `absorbed`: attempts of which nobody heard the end and
    that were found, or found not to be there. Lists hold ids."""

    accepted: int = 0
    unacknowledged: int = 0
    absorbed: int = 0
    texts_missing: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    texts_doubled: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)


def unfinished(stage: Stage) -> int:
    """How many requests are not at their end; -1 while the database is away."""
    try:
        with stage.gateway.database.transaction() as tx:
            query = select(func.count()).where(RequestRow.state != RequestState.CONFIRMED)
            return tx.session.scalar(query) or 0
    except DBAPIError:
        return -1


def audit(stage: Stage, acknowledged: dict[str, str]) -> Audit:
    """Lay everything side by side."""
    with stage.gateway.database.transaction() as tx:
        columns = (RequestRow.id, RequestRow.reference, RequestRow.state)
        rows = tx.session.execute(select(*columns)).all()
        absorbed = tx.session.scalar(
            select(func.count()).where(DeliveryAttemptRow.outcome.in_(("found", "not-found")))
        )
        texted = set(
            tx.session.scalars(
                select(RequestEventRow.request_id).where(
                    RequestEventRow.state == RequestState.CONFIRMED,
                    RequestEventRow.detail == "sent",
                )
            )
        )
        last = {request_id: _last_event(tx, request_id) for request_id, _, state in rows
                if state != RequestState.CONFIRMED}  # fmt: skip
    known = {reference for _, reference, _ in rows}
    arrived = _arrived(stage)
    found = {value for (_, value) in arrived}
    texts = _texts(stage)
    return Audit(
        accepted=len(rows),
        unacknowledged=len(rows) - len(acknowledged),
        absorbed=absorbed or 0,
        texts_missing=len(texted - {reference.partition(":")[0] for reference in texts}),
        lost=[reference for reference in acknowledged.values() if reference not in known]
        + [request_id for request_id, _, _ in rows if request_id not in found],
        doubled=[f"{kind} {value}" for (kind, value), count in arrived.items() if count > 1],
        texts_doubled=[reference for reference, count in texts.items() if count > 1],
        stuck=[f"{request_id} {event}" for request_id, event in last.items()],
    )


def _last_event(tx: object, request_id: str) -> str:
    from fhir_gateway.store import requests

    events = requests.events(tx, request_id)  # type: ignore[arg-type]
    return f"{events[-1].state} {events[-1].detail}" if events else ""


def _arrived(stage: Stage) -> Counter[tuple[str, str]]:
    """How many resources of each type carry the identifier of each request in the EPR."""
    if stage.epr_behind:
        return _found(stage.epr_behind)
    with sqlite3.connect(stage.folder / "epr.db") as epr:
        rows = epr.execute(
            "SELECT type, value FROM search_value WHERE parameter = 'identifier' AND system = ?",
            (REQUEST_ID,),
        ).fetchall()
    epr.close()
    return Counter((str(kind), str(value)) for kind, value in rows)


def _found(base: str) -> Counter[tuple[str, str]]:
    """The same, asked of a FHIR server page by page."""
    found: Counter[tuple[str, str]] = Counter()
    fresh = {"Accept": "application/fhir+json", "Cache-Control": "no-cache"}
    with httpx.Client(timeout=60, headers=fresh) as http:
        for kind in _TYPES:
            url = f"{base}/{kind}?identifier={REQUEST_ID}%7C&_count=200"
            while url:
                page = http.get(url).raise_for_status().json()
                for entry in page.get("entry", []):
                    for one in as_list(entry["resource"].get("identifier")) or [
                        entry["resource"].get("identifier")
                    ]:
                        if one["system"] == REQUEST_ID:
                            found[kind, one["value"]] += 1
                links = {link["relation"]: link["url"] for link in page.get("link", [])}
                url = links.get("next", "")
    return found


def _texts(stage: Stage) -> Counter[str]:
    """How many texts with each reference are on the phone."""
    with sqlite3.connect(stage.folder / "phone.db") as phone:
        rows = phone.execute("SELECT reference FROM message").fetchall()
    phone.close()
    return Counter(str(row[0]) for row in rows)
