"""Messages: what they carry is kept, and the sender is told so. Each is taken once.

https://hl7.org/fhir/R4/messaging.html, https://hl7.org/fhir/R4/messageheader-operation-process-message.html
"""

from __future__ import annotations

import threading
import uuid

from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.sandbox.epr import moments, transaction
from fhir_gateway.sandbox.epr.faults import BAD_REQUEST, fault
from fhir_gateway.sandbox.epr.storage import Storage


class Messages:
    """Those that were taken since the server started. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[str, Resource] = {}

    def process(self, storage: Storage, message: Resource, base: str) -> Resource:
        """Take a message; the answer to it, the same when it comes again.

        Raises Fault: 400 for what is no message, else what its content would cause in a
        transaction.
        """
        header, identity = _header(message), _identity(message)
        with self._lock:
            if identity not in self._answers:
                transaction.run(storage, _content(message), base, representation=False)
                with storage.session() as session:
                    at = moments.instant(session.now())
                self._answers[identity] = _reply(header, identity, base, at)
            return self._answers[identity]


def _header(message: Resource) -> Resource:
    entries = as_list(message.get("entry"))
    first = as_dict(as_dict(entries[0] if entries else None).get("resource"))
    is_message = message.get("resourceType") == "Bundle" and message.get("type") == "message"
    if not is_message or first.get("resourceType") != "MessageHeader":
        raise fault(
            BAD_REQUEST,
            "invalid",
            "The content must be a Bundle of type message whose first entry is a MessageHeader.",
        )
    return first


def _identity(message: Resource) -> str:
    """What the message is known by (https://hl7.org/fhir/R4/messaging.html#reliable)."""
    found = as_str(as_dict(message.get("identifier")).get("value")) or as_str(message.get("id"))
    if not found:
        raise fault(BAD_REQUEST, "required", "A message needs an identifier or an id.")
    return found


def _content(message: Resource) -> Resource:
    """The resources of a message but its header, each to be created unless it is there."""
    entries = [as_dict(entry) for entry in as_list(message.get("entry"))[1:]]
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {**entry, "request": _request(as_dict(entry.get("resource")))} for entry in entries
        ],
    }


def _request(resource: Resource) -> Element:
    request: Element = {"method": "POST", "url": as_str(resource.get("resourceType"))}
    given = resource.get("identifier")
    first = as_dict((as_list(given) or [given])[0])
    if "system" in first and "value" in first:
        request["ifNoneExist"] = f"identifier={first['system']}|{first['value']}"
    return request


def _reply(header: Resource, identity: str, base: str, at: str) -> Resource:
    reply: Resource = {
        "resourceType": "MessageHeader",
        "id": str(uuid.uuid4()),
        **{name: header[name] for name in ("eventCoding", "eventUri") if name in header},
        "source": {"name": "fhir_gateway sandbox EPR", "endpoint": f"{base}/$process-message"},
        "response": {"identifier": identity.removeprefix("urn:uuid:"), "code": "ok"},
    }
    return {
        "resourceType": "Bundle",
        "id": str(uuid.uuid4()),
        "type": "message",
        "timestamp": at,
        "entry": [{"fullUrl": f"urn:uuid:{reply['id']}", "resource": reply}],
    }
