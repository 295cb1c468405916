"""Faults of transactions."""

from __future__ import annotations

import uuid
from typing import Any

from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list
from fhir_gateway.sandbox.epr.injected.exchange import Answered, Proceed, Sent, entries, on_answer
from fhir_gateway.sandbox.epr.injected.known import Known, always


async def half_applied(sent: Sent, proceed: Proceed) -> Answered:
    """What can be done of a refused transaction is done all the same."""
    answered = await proceed(sent)
    if sent.is_bundle and answered.refused:
        await proceed(sent.carrying({**sent.resource, "type": "batch"}))
    return answered


async def as_batch(sent: Sent, proceed: Proceed) -> Answered:
    """A transaction is carried out as a batch, each entry by itself."""
    if sent.is_bundle:
        return await proceed(sent.carrying({**sent.resource, "type": "batch"}))
    return await proceed(sent)


def called_batch(sent: Sent, answered: Answered) -> Answered:
    """The answer to a transaction says that it is one to a batch."""
    if not sent.is_bundle or answered.refused:
        return answered
    return answered.carrying({**answered.resource, "type": "batch-response"})


def other_ids(sent: Sent, answered: Answered) -> Answered:
    """The locations of a transaction-response name what is not there."""
    if not sent.is_bundle or answered.refused:
        return answered
    return _with_entries(answered, [_other_id(entry) for entry in entries(answered.resource)])


def backwards(sent: Sent, answered: Answered) -> Answered:
    """The entries of a transaction-response in another order."""
    if not sent.is_bundle or answered.refused:
        return answered
    return _with_entries(answered, entries(answered.resource)[::-1])


def one_short(sent: Sent, answered: Answered) -> Answered:
    """The last entry of a transaction-response is missing."""
    if not sent.is_bundle or answered.refused:
        return answered
    return _with_entries(answered, entries(answered.resource)[:-1])


def message_failed(sent: Sent, answered: Answered) -> Answered:
    """The reply to a message that was taken says that it was not."""
    if sent.path != "$process-message" or answered.refused:
        return answered
    kept = entries(answered.resource)
    for entry in kept:
        entry["resource"]["response"]["code"] = "fatal-error"
    return _with_entries(answered, kept)


class UrnsLeft:
    """References between the resources of a transaction stay as they were sent."""

    def __init__(self) -> None:
        self._sent: dict[str, Resource] = {}

    async def __call__(self, sent: Sent, proceed: Proceed) -> Answered:
        """Remember what transactions brought, and give it back with the references it had."""
        answered = await proceed(sent)
        if sent.is_bundle and not answered.refused:
            pairs = zip(entries(sent.resource), entries(answered.resource), strict=False)
            for asked, told in pairs:
                location = as_dict(told.get("response")).get("location", "")
                self._sent[location.partition("/_history/")[0]] = as_dict(asked.get("resource"))
        elif self._sent and sent.method == "GET" and not answered.refused:
            return answered.carrying(self._restored(answered.resource))
        return answered

    def _restored(self, resource: Resource) -> Resource:
        if resource.get("resourceType") == "Bundle":
            kept = [
                {**entry, "resource": self._restored(as_dict(entry.get("resource")))}
                for entry in entries(resource)
            ]
            return {**resource, **({"entry": kept} if kept else {})}
        before = self._sent.get(f"{resource.get('resourceType')}/{resource.get('id')}")
        restored: Resource = _urns(before, resource) if before else resource
        return restored


class Stale:
    """What was just written is not there yet for those who read or search first."""

    def __init__(self) -> None:
        self._fresh: set[str] = set()

    async def __call__(self, sent: Sent, proceed: Proceed) -> Answered:
        """Remember writes; pass over them once."""
        answered = await proceed(sent)
        if sent.is_write and not answered.refused:
            told = [as_dict(e.get("response")) for e in entries(answered.resource)]
            locations = [
                answered.headers.get("location", ""),
                *(t.get("location", "") for t in told),
            ]
            self._fresh.update(_key(location) for location in locations if location)
        elif sent.is_search and not answered.refused:
            kept = [e for e in entries(answered.resource) if not self._is_fresh(e)]
            if len(kept) < len(entries(answered.resource)):
                return _with_entries(answered, kept, total=len(kept))
        elif sent.method == "GET" and sent.path in self._fresh:
            self._fresh.discard(sent.path)
            return Answered(404, {}, b"")
        return answered

    def _is_fresh(self, entry: Element) -> bool:
        resource = as_dict(entry.get("resource"))
        key = f"{resource.get('resourceType')}/{resource.get('id')}"
        fresh = key in self._fresh
        self._fresh.discard(key)
        return fresh


def _key(location: str) -> str:
    return "/".join(location.partition("/_history/")[0].rsplit("/", 2)[-2:])


def _other_id(entry: Element) -> Element:
    response = as_dict(entry.get("response"))
    if "location" not in response:
        return entry
    name = response["location"].partition("/")[0]
    return {**entry, "response": {**response, "location": f"{name}/{uuid.uuid4()}/_history/1"}}


def _with_entries(answered: Answered, kept: list[Element], **more: Any) -> Answered:
    bundle = {name: value for name, value in answered.resource.items() if name != "entry"}
    return answered.carrying({**bundle, **more, **({"entry": kept} if kept else {})})


def _urns(before: Any, now: Any) -> Any:
    """`now`, with the references that `before` has in the same places, where these are URNs."""
    if isinstance(before, dict) and isinstance(now, dict):
        if str(before.get("reference", "")).startswith("urn:uuid:"):
            return {**now, "reference": before["reference"]}
        return {name: _urns(before.get(name), value) for name, value in now.items()}
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        return [_urns(old, new) for old, new in zip(as_list(before), now, strict=True)]
    return now


FAULTS = (
    Known(
        "stale-read-after-write",
        "Does not find what was written a moment ago, the first time that it is asked.",
        Stale,
    ),
    always(
        "half-applied-transaction",
        "Does what it can of a transaction that it refuses.",
        half_applied,
    ),
    always(
        "transaction-as-batch",
        "Carries a transaction out as a batch, each entry by itself.",
        as_batch,
    ),
    always(
        "answers-batch-response",
        "Calls its answer to a transaction a batch-response.",
        on_answer(called_batch),
    ),
    always(
        "wrong-ids-in-response",
        "Names resources that are not there in a transaction-response.",
        on_answer(other_ids),
    ),
    always(
        "response-out-of-order",
        "Answers the entries of a transaction in another order.",
        on_answer(backwards),
    ),
    always(
        "response-one-short",
        "Leaves the last entry out of a transaction-response.",
        on_answer(one_short),
    ),
    always(
        "says-message-failed",
        "Takes a message and answers that it failed.",
        on_answer(message_failed),
    ),
    Known(
        "leaves-urn-references",
        "Leaves references within a transaction as urn:uuid.",
        UrnsLeft,
    ),
)
