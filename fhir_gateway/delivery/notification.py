"""What subscribers are sent: a Bundle of the Subscriptions R5 Backport, R4 form
(https://hl7.org/fhir/uv/subscriptions-backport/notifications.html). Pure."""

from __future__ import annotations

import uuid
from datetime import datetime

from fhir_gateway.fhir.moments import instant
from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.store.notices import Notice
from fhir_gateway.store.subscriptions import Subscription

_PROFILE = (
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
    "backport-subscription-status-r4"
)
_NAMESPACE = uuid.UUID("7a1c3f52-8d3e-4d1b-9a6e-3f0b7a2f4c10")


def bundle(
    subscription: Subscription,
    notice: Notice,
    *,
    topic: str,
    base_url: str,
    focus: str | None,
    now: datetime,
) -> Resource:
    """The Bundle of one notice. `topic`: its canonical; `focus`: `Type/id` of what it is about."""
    shown = focus if subscription.channel.content == "id-only" else None
    # The same each time it is sent, so that a subscriber knows a repeat.
    status_id = str(uuid.uuid5(_NAMESPACE, f"{subscription.id} {notice.kind} {notice.id}"))
    status: Resource = {
        "resourceType": "Parameters",
        "id": status_id,
        "meta": {"profile": [_PROFILE]},
        "parameter": list(_status(subscription, notice, topic, base_url, shown)),
    }
    entries: list[Element] = [
        {
            "fullUrl": f"urn:uuid:{status_id}",
            "resource": status,
            "request": {"method": "GET", "url": f"Subscription/{subscription.id}"},
            "response": {"status": "200"},
        }
    ]
    if shown:
        method = "POST" if subscription.topic == "new-request" else "PUT"
        url = "Task" if method == "POST" else shown
        entries.append(
            {
                "fullUrl": f"{base_url}/{shown}",
                "request": {"method": method, "url": url},
                "response": {"status": "201" if method == "POST" else "200"},
            }
        )
    return {
        "resourceType": "Bundle",
        "id": status_id,
        "type": "history",
        "timestamp": instant(now),
        "entry": entries,
    }


def _status(
    subscription: Subscription, notice: Notice, topic: str, base_url: str, focus: str | None
) -> list[Element]:
    here = f"{base_url}/Subscription/{subscription.id}"
    handshake = notice.kind == "handshake"
    parts: list[Element] = [
        {"name": "subscription", "valueReference": {"reference": here}},
        {"name": "topic", "valueCanonical": topic},
        {"name": "status", "valueCode": "requested" if handshake else "active"},
        {"name": "type", "valueCode": notice.kind},
        {"name": "events-since-subscription-start", "valueString": str(notice.number)},
    ]
    if not handshake:
        event: list[Element] = [
            {"name": "event-number", "valueString": str(notice.number)},
            {"name": "timestamp", "valueInstant": instant(notice.at)},
        ]
        if focus:
            event.append({"name": "focus", "valueReference": {"reference": f"{base_url}/{focus}"}})
        parts.append({"name": "notification-event", "part": event})
    return parts
