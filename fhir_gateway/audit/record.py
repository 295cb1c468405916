"""Keeping AuditEvents, in the transaction of what was done: it and the record of it become true
together, or neither does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from fhir_gateway.audit.event import references
from fhir_gateway.fhir.types import Resource, as_dict, as_str
from fhir_gateway.store import audit_log
from fhir_gateway.store.database import Transaction


def record(
    tx: Transaction, event: Resource, *, agent: str, providers: Iterable[str], now: datetime
) -> None:
    """Keep an event. `agent`: who is found by it; `providers`: the ODS codes of those whose data it
    is about, who may read it. Without any, only administrators may."""
    audit_log.append(
        tx,
        audit_log.Entry(
            event=event,
            recorded=now,
            type=as_str(event["type"]["code"]),
            subtype=as_str(as_dict(event["subtype"][0])["code"]),
            action=as_str(event["action"]),
            outcome=as_str(event["outcome"]),
            agent=agent,
            references=references(event),
            providers=frozenset(providers),
        ),
    )
