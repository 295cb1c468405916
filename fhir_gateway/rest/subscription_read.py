"""A Subscription as a client writes it: R4's own form, or that of the Subscriptions R5 Backport
(https://hl7.org/fhir/uv/subscriptions-backport/). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from fhir_gateway.fhir.identifiers import BASE
from fhir_gateway.fhir.moments import span
from fhir_gateway.fhir.outcome import issue
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str, extension_value
from fhir_gateway.fhir.wire import JSON
from fhir_gateway.store.subscriptions import Topic

#: The canonical of each topic begins so.
TOPICS = f"{BASE}/SubscriptionTopic"
#: On the channel of the answer to a create, once: what signs the notifications.
SECRET = f"{BASE}/StructureDefinition/subscription-secret"
#: On a Subscription of a client that works for several: whose requests it is about.
ORGANIZATION = f"{BASE}/StructureDefinition/subscription-organization"
CONTENT = (
    "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content"
)
#: What stands in the place of a header's value, which can be a secret.
HIDDEN = "***"
_SEARCHES = {"QuestionnaireResponse": Topic.NEW_REQUEST, "Task": Topic.STATUS_CHANGED}
_HEADER = re.compile(
    r"(?P<name>Authorization|X-[A-Za-z0-9-]{1,60}): ?(?P<value>[\x20-\x7e]{1,2000})"
)
_MAX_HEADERS = 10
_MAX_ENDPOINT = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client wants. `headers`: a value that is HIDDEN stays what it was."""

    topic: Topic
    endpoint: str
    headers: Mapping[str, str]
    content: str
    ends_at: datetime | None
    off: bool


def canonical(topic: Topic) -> str:
    """The canonical of a topic."""
    return f"{TOPICS}/{topic}"


def read(resource: Resource) -> tuple[Wanted | None, list[Element]]:
    """What is wanted, and every issue; None when one of them is there."""
    channel = as_dict(resource.get("channel"))
    topic = topic_of(as_str(resource.get("criteria")))
    content = as_str(extension_value(as_dict(channel.get("_payload")), CONTENT)) or "id-only"
    headers = dict(_headers(channel))
    end = as_str(resource.get("end"))
    found = list(_problems(resource, channel, content, headers))
    if topic is None:
        text = (
            f"criteria is the canonical of a topic ({', '.join(map(canonical, Topic))}) or one of "
            f"the searches {', '.join(_SEARCHES)}, without parameters."
        )
        found.append(issue("error", "not-supported", text, expression=["Subscription.criteria"]))
    ends = span(end) if end else None
    if found or topic is None:
        return None, found
    wanted = Wanted(
        topic=topic,
        endpoint=as_str(channel.get("endpoint")),
        headers=headers,
        content=content,
        ends_at=datetime.fromisoformat(ends.low) if ends else None,
        off=resource.get("status") == "off",
    )
    return wanted, []


def topic_of(criteria: str) -> Topic | None:
    """The topic that criteria mean."""
    for topic in Topic:
        if criteria == canonical(topic):
            return topic
    return _SEARCHES.get(criteria.removesuffix("?"))


def as_kept(resource: Resource, wanted: Wanted, *, status: str) -> Resource:
    """The resource as it may be read: no header shows its value."""
    channel = dict(as_dict(resource.get("channel")))
    extensions = [e for e in as_list(channel.get("extension")) if as_dict(e).get("url") != SECRET]
    channel.pop("extension", None)
    if extensions:
        channel["extension"] = extensions
    if wanted.headers:
        channel["header"] = [f"{name}: {HIDDEN}" for name in wanted.headers]
    kept = {k: v for k, v in resource.items() if k not in ("error", "text")}
    return {**kept, "status": status, "channel": channel}


def with_secret(resource: Resource, secret: str) -> Resource:
    """The answer to a create: with what signs the notifications, which is never shown again."""
    channel = as_dict(resource.get("channel"))
    shown = {"url": SECRET, "valueString": secret}
    return {
        **resource,
        "channel": {
            "extension": [*as_list(channel.get("extension")), shown],
            **{k: v for k, v in channel.items() if k != "extension"},
        },
    }


def _headers(channel: Element) -> Iterator[tuple[str, str]]:
    for header in map(as_str, as_list(channel.get("header"))):
        match = _HEADER.fullmatch(header)
        if match:
            yield match["name"], match["value"]


def _problems(
    resource: Resource, channel: Element, content: str, headers: Mapping[str, str]
) -> Iterator[Element]:
    def wrong(place: str, text: str, code: str = "not-supported") -> Element:
        return issue("error", code, text, expression=[f"Subscription.{place}"])

    if channel.get("type") != "rest-hook":
        yield wrong("channel.type", "Only the channel rest-hook is served.")
    if not 0 < len(as_str(channel.get("endpoint"))) <= _MAX_ENDPOINT:
        yield wrong("channel.endpoint", "Where to? An address is needed.", "required")
    if channel.get("payload") not in (None, JSON):
        yield wrong("channel.payload", f"Notifications are sent as {JSON}.")
    if content not in ("empty", "id-only"):
        text = "Notifications have no content of patients: empty or id-only."
        yield wrong("channel.payload", text)
    listed = as_list(channel.get("header"))
    if len(headers) != len(listed) or len(listed) > _MAX_HEADERS:
        text = (
            f"At most {_MAX_HEADERS} headers, each 'Authorization: …' or 'X-…: …' in plain ASCII, "
            "each name once."
        )
        yield wrong("channel.header", text, "value")
    if resource.get("status") not in ("requested", "active", "off"):
        yield wrong("status", "status is requested, or off.", "value")
    end = as_str(resource.get("end"))
    if end and span(end) is None:
        yield wrong("end", "end must be an instant.", "value")
