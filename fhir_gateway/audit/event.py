"""An AuditEvent from its parts. Pure: ids and moments are given."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fhir_gateway.audit import codes
from fhir_gateway.fhir.types import Coding, Element, Resource, as_dict, as_list, as_str

#: network.type: an IP address, a URI.
_IP, _URI = "2", "5"


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who took part. `address`: an IP address or a URL, "" when there is none."""

    value: str
    system: str = ""
    name: str = ""
    address: str = ""

    def agent(self, role: Coding | None, *, requestor: bool) -> Element:
        """As an agent of an AuditEvent."""
        identifier = {**({"system": self.system} if self.system else {}), "value": self.value}
        agent: Element = {"type": codes.concept(role)} if role else {}
        agent["who"] = {"identifier": identifier, **({"display": self.name} if self.name else {})}
        agent["requestor"] = requestor
        if self.address:
            kind = _URI if "://" in self.address else _IP
            agent["network"] = {"address": self.address, "type": kind}
        return agent


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened: `subtype` says it most closely, `action` is one of C, R, U, D, E."""

    type: Coding
    subtype: Coding
    action: str
    outcome: str = codes.SUCCESS
    outcome_text: str = ""
    profile: str = ""


def audit_event(
    event_id: str,
    happened: Happened,
    agents: Sequence[Element],
    entities: Sequence[Element],
    *,
    observer: str,
    now: datetime,
) -> Resource:
    """The AuditEvent. `observer`: the address of the gateway, which saw it."""
    moment = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    meta: Element = {"versionId": "1", "lastUpdated": moment}
    if happened.profile and happened.outcome == codes.SUCCESS:
        meta["profile"] = [f"{codes.PROFILE}/{happened.profile}"]
    event: Resource = {
        "resourceType": "AuditEvent",
        "id": event_id,
        "meta": meta,
        "type": happened.type,
        "subtype": [happened.subtype],
        "action": happened.action,
        "recorded": moment,
        "outcome": happened.outcome,
    }
    if happened.outcome_text:
        event["outcomeDesc"] = happened.outcome_text
    event["agent"] = list(agents)
    event["source"] = {"observer": {"display": observer}, "type": [codes.SERVER]}
    if entities:
        event["entity"] = list(entities)
    return event


def data(what: Element) -> Element:
    """An entity: a resource. `what`: a Reference to it."""
    return {"what": what, "type": codes.SYSTEM_OBJECT, "role": codes.DOMAIN_RESOURCE}


def patient(what: Element) -> Element:
    """An entity: whom it is about."""
    return {"what": what, "type": codes.PERSON, "role": codes.PATIENT}


def query(text: str) -> Element:
    """An entity: what was asked, in base64 as it came, so that nothing can be lost of it."""
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode()
    return {"type": codes.SYSTEM_OBJECT, "role": codes.QUERY, "query": encoded}


def request_id(value: str) -> Element:
    """An entity: the X-Request-Id by which both sides can name the request."""
    return {"what": {"identifier": {"value": value}}, "type": codes.REQUEST_ID}


def references(event: Resource) -> frozenset[str]:
    """What an event can be found by: `Type/id`, and `system|value` of identifiers."""
    found = set()
    for entity in as_list(event.get("entity")):
        what = as_dict(as_dict(entity).get("what"))
        reference = as_str(what.get("reference"))
        if reference:
            found.add(reference.partition("/_history/")[0])
        identifier = as_dict(what.get("identifier"))
        if identifier.get("system"):
            found.add(f"{as_str(identifier['system'])}|{as_str(identifier.get('value'))}")
    return frozenset(found)
