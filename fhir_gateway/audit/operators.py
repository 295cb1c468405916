"""AuditEvents of what operators do by commands, and of who was registered as a client."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from fhir_gateway.audit import codes
from fhir_gateway.audit.event import Happened, Party, audit_event, data, patient
from fhir_gateway.audit.record import record
from fhir_gateway.fhir.identifiers import NHS_NUMBER, REQUEST_ID, identifier
from fhir_gateway.fhir.types import Coding, Element
from fhir_gateway.store import services
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.requests import Request


def of_request(
    tx: Transaction, act: str, request: Request, *, who: str, why: str, observer: str, now: datetime
) -> None:
    """Somebody decided about a request: `act` is `replay` or `resolve`, `why` what they said."""
    entities = [data({"identifier": identifier(REQUEST_ID, request.id)})]
    number = (request.identity or {}).get("nhsNumber")
    if isinstance(number, str) and number:
        entities.append(_person(number))
    event = _event(codes.PATIENT_RECORD, act, "U", who, entities, why, observer, now)
    providers = {services.provider_of(tx, request.service_slug)} - {""}
    record(tx, event, agent=who, providers=providers, now=now)


def of_trace(
    tx: Transaction,
    *,
    who: str,
    why: str,
    nhs_number: str | None,
    ods_code: str,
    outcome: str,
    observer: str,
    now: datetime,
) -> None:
    """Somebody looked a person up on PDS. `nhs_number`: the one that was asked or found."""
    entities = [_person(nhs_number)] if nhs_number else []
    event = _event(
        codes.PATIENT_RECORD, "trace", "R", who, entities, f"{outcome}: {why}", observer, now
    )
    record(tx, event, agent=who, providers={ods_code}, now=now)


def of_client(
    tx: Transaction,
    act: str,
    client_id: str,
    name: str,
    *,
    who: str,
    providers: Iterable[str],
    observer: str,
    now: datetime,
) -> None:
    """Somebody registered (`client-add`) or revoked (`client-revoke`) a client."""
    entities = [data({"identifier": identifier(codes.CLIENT, client_id), "display": name})]
    action = "C" if act == "client-add" else "U"
    event = _event(codes.SECURITY_ALERT, act, action, who, entities, "", observer, now)
    record(tx, event, agent=who, providers=providers, now=now)


def of_neighbour(
    tx: Transaction, act: str, neighbour: str, *, who: str, why: str, observer: str, now: datetime
) -> None:
    """Somebody held a neighbour back (`pause`) or let it go on (`resume`)."""
    entities = [data({"display": neighbour})]
    event = _event(codes.APPLICATION_ACTIVITY, act, "U", who, entities, why, observer, now)
    record(tx, event, agent=who, providers=(), now=now)


def of_reading(tx: Transaction, *, who: str, asked: str, observer: str, now: datetime) -> None:
    """Somebody read the audit."""
    event = _event(codes.AUDIT_LOG_USED, "audit-list", "R", who, [], asked, observer, now)
    record(tx, event, agent=who, providers=(), now=now)


def _person(nhs_number: str) -> Element:
    return patient({"identifier": identifier(NHS_NUMBER, nhs_number)})


def _event(
    kind: Coding,
    act: str,
    action: str,
    who: str,
    entities: list[Element],
    said: str,
    observer: str,
    now: datetime,
) -> Element:
    happened = Happened(kind, codes.coding(codes.ACT, act), action, outcome_text=said)
    agents = [Party(who, codes.OPERATOR).agent(None, requestor=True)]
    return audit_event(str(uuid.uuid4()), happened, agents, entities, observer=observer, now=now)
