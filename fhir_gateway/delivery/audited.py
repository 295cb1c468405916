"""The record of what the gateway did at an EPR: what left, and what it was told it became."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from fhir_gateway.audit import codes
from fhir_gateway.audit.event import Happened, Party, audit_event, data, patient
from fhir_gateway.audit.record import record
from fhir_gateway.epr.adapter import Landed
from fhir_gateway.fhir.identifiers import DEVICE, NHS_NUMBER, REQUEST_ID, identifier
from fhir_gateway.fhir.types import Coding, Element, as_str
from fhir_gateway.store import services
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.requests import Request

_SENT = codes.coding(codes.ACT, "epr-sent", "Sent to the EPR")
_CREATED = codes.coding(codes.INTERACTION, "create", "create")
_NOT_TAKEN = codes.coding(codes.ACT, "epr-not-taken", "Not taken by the EPR")


def sent(tx: Transaction, request: Request, epr: str, gateway: str, *, now: datetime) -> None:
    """A request leaves for its EPR. `epr`: the neighbour's name; `gateway`: its address."""
    _record(tx, request, epr, gateway, Happened(codes.REST, _SENT, "E"), [], now)


def landed(
    tx: Transaction,
    request: Request,
    epr: str,
    gateway: str,
    resources: Sequence[Landed],
    *,
    now: datetime,
) -> None:
    """The EPR said what it became there."""
    entities = [
        data(
            {
                "reference": f"{one.reference}/_history/{one.version}"
                if one.version
                else one.reference
            }
        )
        for one in resources
    ]
    _record(tx, request, epr, gateway, Happened(codes.REST, _CREATED, "C"), entities, now)


def not_taken(
    tx: Transaction,
    request: Request,
    epr: str,
    gateway: str,
    code: str,
    *,
    unknown: bool,
    now: datetime,
) -> None:
    """The EPR did not take it, or (`unknown`) nobody knows. `code`: of the error, never its text,
    which can quote the EPR."""
    outcome = codes.SERIOUS if unknown else codes.MINOR
    happened = Happened(codes.REST, _NOT_TAKEN, "E", outcome, code)
    _record(tx, request, epr, gateway, happened, [], now)


def _record(
    tx: Transaction,
    request: Request,
    epr: str,
    gateway: str,
    happened: Happened,
    entities: list[Element],
    now: datetime,
) -> None:
    about = [data({"identifier": identifier(REQUEST_ID, request.id)})]
    number = as_str((request.identity or {}).get("nhsNumber"))
    if number:
        about.append(patient({"identifier": identifier(NHS_NUMBER, number)}))
    address = epr.removeprefix("epr:")
    roles: tuple[tuple[Party, Coding, bool], ...] = (
        (Party(gateway, DEVICE, address=gateway), codes.SOURCE, True),
        (Party(address, address=address), codes.DESTINATION, False),
    )
    agents = [party.agent(role, requestor=asks) for party, role, asks in roles]
    event = audit_event(
        str(uuid.uuid4()), happened, agents, [*about, *entities], observer=gateway, now=now
    )
    providers = {services.provider_of(tx, request.service_slug)} - {""}
    record(tx, event, agent=gateway, providers=providers, now=now)
