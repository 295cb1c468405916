"""Strategy `message`: a message Bundle to $process-message.

https://hl7.org/fhir/R4/messaging.html. A mapping that makes a message is sent as it is; any other
Bundle gets a MessageHeader in front.
"""

from __future__ import annotations

import uuid

from fhir_gateway.epr import outcomes
from fhir_gateway.epr.adapter import Delivered, Landed
from fhir_gateway.epr.client import EprClient
from fhir_gateway.epr.exchange import Answer
from fhir_gateway.epr.fence import Guard
from fhir_gateway.epr.looking import look
from fhir_gateway.epr.parts import parts_of, root_of
from fhir_gateway.errors import OutcomeUnknown, Refused, TryLater
from fhir_gateway.fhir.bundle import derived_urn
from fhir_gateway.fhir.identifiers import BASE, REQUEST_ID, identifier
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.provider.endpoint import EprEndpoint, RepeatMode

_PATH = "$process-message"


class MessageAdapter:
    """An EprAdapter."""

    def __init__(self, client: EprClient, endpoint: EprEndpoint) -> None:
        self._client = client
        self._endpoint = endpoint

    @property
    def mode(self) -> RepeatMode:
        """See EprAdapter."""
        return self._endpoint.repeat

    def find(self, bundle: Resource, request_id: str) -> Delivered | None:
        """See EprAdapter: what the message became, where the receiver can be searched."""
        root = root_of(parts_of(bundle))
        landed = look(self._client, root, request_id, self.mode, {})
        return Delivered((landed,)) if landed else None

    def send(self, bundle: Resource, request_id: str, guard: Guard) -> Delivered:
        """See EprAdapter. A receiver that says the message is a duplicate has it."""
        message = as_message(bundle, request_id, self._endpoint)
        named = Landed(f"Bundle/{_bundle_id(message)}")
        try:
            answer = self._client.write("POST", _PATH, message, request_id=request_id, guard=guard)
        except outcomes.Duplicate as error:
            return Delivered((named,), (f"gateway information: {error}: received before",))
        except outcomes.Present as error:
            # A conflict with something else, for all that is known: it proves no receipt.
            found = self.find(bundle, request_id)
            if found:
                return found
            raise outcomes.absent(error) from None
        return Delivered((named,), _response_warnings(answer))


def as_message(bundle: Resource, request_id: str, endpoint: EprEndpoint) -> Resource:
    """The Bundle as a message, the same each time it is made for the same request."""
    if bundle.get("type") == "message":
        return bundle
    parts = parts_of(bundle)
    namespace = uuid.UUID(request_id)
    system, _, code = endpoint.message_event.rpartition("|")
    header: Element = {
        "resourceType": "MessageHeader",
        "eventCoding": {**({"system": system} if system else {}), "code": code},
        "destination": [{"endpoint": endpoint.address}],
        "source": {"name": "fhir_gateway", "endpoint": f"{BASE}/gateway"},
        "focus": [{"reference": root_of(parts).full_url}],
    }
    entries = [{"fullUrl": derived_urn(namespace, "message-header"), "resource": header}]
    entries.extend({"fullUrl": part.full_url, "resource": part.resource} for part in parts)
    return {
        "resourceType": "Bundle",
        "id": str(uuid.uuid5(namespace, "message")),
        "identifier": identifier(REQUEST_ID, request_id),
        "type": "message",
        "timestamp": _moment(bundle, parts_of(bundle)[0].resource),
        "entry": entries,
    }


def _moment(bundle: Resource, first: Resource) -> str:
    """R4 wants a timestamp on a message (bdl-9); the one of the request, so that a retry is the
    same message."""
    for entry in map(as_dict, as_list(bundle.get("entry"))):
        resource = as_dict(entry.get("resource"))
        for element in ("authoredOn", "authored", "sent", "date", "recorded"):
            text = as_str(resource.get(element))
            if "T" in text:
                return text
    return as_str(as_dict(first.get("meta")).get("lastUpdated")) or "1970-01-01T00:00:00Z"


def _bundle_id(message: Resource) -> str:
    return as_str(message.get("id")) or as_str(as_dict(message.get("identifier")).get("value"))


def _response_warnings(answer: Answer) -> tuple[str, ...]:
    """What a message in reply says; nothing at all is a yes, as a receiver may answer later.

    Raises Refused, TryLater when it says that it failed, OutcomeUnknown when it says neither.
    """
    if answer.foreign:
        raise OutcomeUnknown(
            f"What answered {answer.status} to the message does not speak FHIR", code="epr-reply"
        )
    if answer.body.get("resourceType") != "Bundle":
        return answer.warnings
    resources = [as_dict(as_dict(e).get("resource")) for e in as_list(answer.body.get("entry"))]
    header = next((r for r in resources if r.get("resourceType") == "MessageHeader"), {})
    outcome = next((r for r in resources if r.get("resourceType") == "OperationOutcome"), {})
    told = Answer(answer.status, {}, outcome)
    code = as_str(as_dict(header.get("response")).get("code"))
    words = ", ".join(told.issue_codes[:4]) or "no OperationOutcome"
    if code == "fatal-error":
        raise Refused(f"The receiver refused the message ({words})", code="epr-fatal-error")
    if code == "transient-error":
        raise TryLater(
            f"The receiver cannot take the message ({words})", code="epr-transient-error"
        )
    if code != "ok":
        raise OutcomeUnknown("The reply to the message has no known code", code="epr-reply")
    return told.warnings
