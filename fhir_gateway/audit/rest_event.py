"""AuditEvents of RESTful interactions: which parts each has is of IHE BALP's profiles."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fhir_gateway.audit import codes
from fhir_gateway.audit.event import (
    Happened,
    Party,
    audit_event,
    data,
    patient,
    query,
    request_id,
)
from fhir_gateway.fhir.types import Coding, Element, Resource, as_dict, as_list, as_str

_ACTIONS = {
    "read": "R",
    "vread": "R",
    "history-instance": "R",
    "history-type": "R",
    "create": "C",
    "update": "U",
    "patch": "U",
    "delete": "D",
}
_PROFILES = {"R": "Read", "C": "Create", "U": "Update", "D": "Delete"}
_SEARCHES = ("search-type", "search-system", "history-type", "history-system")
#: Where a resource says whom it is about.
_SUBJECTS = ("subject", "patient", "for")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One interaction. `target`: `Type/id` or `Type/id/_history/version`, or a type alone; `asked`:
    method, path and parameters as they came; `patients`: References to whom it is about."""

    interaction: str
    client: Party
    server: Party
    target: str = ""
    asked: str = ""
    request_id: str = ""
    patients: Sequence[Element] = ()
    outcome: str = codes.SUCCESS
    outcome_text: str = ""


def events(exchange: Exchange, *, observer: str, now: datetime) -> list[Resource]:
    """Its AuditEvents: one, or one for each patient, as BALP has it."""
    subjects: Sequence[Element | None] = exchange.patients or (None,)
    return [_event(exchange, subject, observer=observer, now=now) for subject in subjects]


def patients_of(resource: Resource | None) -> list[Element]:
    """References to whom a resource, or what is in a Bundle, is about; each once."""
    found: dict[str, Element] = {}
    for one in _within(resource or {}):
        for what in _subjects(one):
            key = as_str(what.get("reference")) or str(what.get("identifier"))
            found.setdefault(key, what)
    return list(found.values())


def _event(
    exchange: Exchange, subject: Element | None, *, observer: str, now: datetime
) -> Resource:
    name = exchange.interaction
    action = _ACTIONS.get(name, "E")
    searches = name in _SEARCHES
    kind = "Query" if searches else _PROFILES.get(action, "")
    happened = Happened(
        type=codes.REST,
        subtype=codes.coding(codes.INTERACTION, "operation" if name.startswith("$") else name),
        action="E" if searches else action,
        outcome=exchange.outcome,
        outcome_text=exchange.outcome_text,
        profile=f"IHE.BasicAudit.{'Patient' if subject else ''}{kind}" if kind else "",
    )
    client_role, server_role = _roles(happened.action)
    entities: list[Element] = []
    if subject:
        entities.append(patient(subject))
    if searches or not exchange.target or name.startswith("$"):
        entities.append(query(exchange.asked))
    if exchange.target and not searches:
        entities.append(data(_what(exchange.target)))
    if exchange.request_id:
        entities.append(request_id(exchange.request_id))
    agents = [
        exchange.client.agent(client_role, requestor=True),
        exchange.server.agent(server_role, requestor=False),
    ]
    return audit_event(str(uuid.uuid4()), happened, agents, entities, observer=observer, now=now)


def _roles(action: str) -> tuple[Coding, Coding]:
    """Of client and server: data flow to who reads and from who writes or asks."""
    if action == "R":
        return codes.DESTINATION, codes.SOURCE
    if action == "D":
        return codes.APPLICATION, codes.CUSTODIAN
    return codes.SOURCE, codes.DESTINATION


def _what(target: str) -> Element:
    return {"reference": target} if "/" in target else {"type": target, "display": target}


def _within(resource: Resource) -> Iterable[Resource]:
    if resource.get("resourceType") != "Bundle":
        return [resource]
    entries = [as_dict(entry) for entry in as_list(resource.get("entry"))]
    return [as_dict(entry["resource"]) for entry in entries if entry.get("resource")]


def _subjects(resource: Resource) -> Iterable[Element]:
    if resource.get("resourceType") == "Patient" and resource.get("id"):
        yield {"reference": f"Patient/{as_str(resource['id'])}"}
    if resource.get("resourceType") == "AuditEvent":
        return  # whom an event is about is what the reader of the audit asked for, not a record
    for name in _SUBJECTS:
        subject = as_dict(resource.get(name)) if isinstance(resource.get(name), dict) else {}
        reference = as_str(subject.get("reference"))
        identifier = as_dict(subject.get("identifier"))
        if reference.startswith("Patient/"):
            yield {"reference": reference.partition("/_history/")[0]}
        elif identifier and "Patient" in (subject.get("type"), "Patient"):
            yield {
                "identifier": {
                    key: as_str(identifier[key]) for key in ("system", "value") if key in identifier
                }
            }
