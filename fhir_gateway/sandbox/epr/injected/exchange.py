"""A request on its way to the FHIR server, and the answer on its way back, for faults to change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list
from fhir_gateway.sandbox.epr.negotiation import FHIR_JSON

_MAX_BYTES = 8_000_000


@dataclass(frozen=True, slots=True)
class Sent:
    """What a client asks. `path`: below the FHIR base, without a slash at its start or end.

    Names of headers are in lower case.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes

    @property
    def resource(self) -> Resource:
        """The resource that it carries; {} for none."""
        return parsed(self.body)

    @property
    def type(self) -> str:
        """The resource type of its address, or ''."""
        return self.path.partition("/")[0]

    @property
    def is_create(self) -> bool:
        """Whether it is a create."""
        return self.method == "POST" and bool(self.path) and self.path.isalpha()

    @property
    def is_bundle(self) -> bool:
        """Whether it is a batch or a transaction."""
        return self.method == "POST" and not self.path

    @property
    def is_search(self) -> bool:
        """Whether it is a search."""
        posted = self.method == "POST" and self.path.endswith("/_search")
        return posted or (self.method == "GET" and self.path.isalpha() and self.path != "metadata")

    @property
    def is_write(self) -> bool:
        """Whether it carries a resource to be kept."""
        return self.is_create or self.is_bundle or self.method == "PUT"

    def carrying(self, resource: Any) -> Sent:
        """The same with another resource."""
        return replace(self, body=fhir_json.dump(resource))

    def without_header(self, name: str) -> Sent:
        """The same without a header."""
        return replace(self, headers={k: v for k, v in self.headers.items() if k != name})

    def with_header(self, name: str, value: str) -> Sent:
        """The same with a header."""
        return replace(self, headers={**self.headers, name: value})


@dataclass(frozen=True, slots=True)
class Answered:
    """What the server answers. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def resource(self) -> Resource:
        """The resource that it carries; {} for none."""
        return parsed(self.body)

    @property
    def refused(self) -> bool:
        """Whether the server said no."""
        return self.status >= 400  # noqa: PLR2004 - where errors begin in HTTP

    def carrying(self, resource: Any, status: int | None = None) -> Answered:
        """The same with another resource."""
        headers = {**self.headers, "content-type": f"{FHIR_JSON};charset=utf-8"}
        return Answered(status or self.status, headers, fhir_json.dump(resource))

    def without_header(self, *names: str) -> Answered:
        """The same without headers."""
        return replace(self, headers={k: v for k, v in self.headers.items() if k not in names})

    def with_header(self, name: str, value: str) -> Answered:
        """The same with a header."""
        return replace(self, headers={**self.headers, name: value})


Proceed = Callable[[Sent], Awaitable[Answered]]
#: A fault: what it makes of a request, with a way to have it answered as it should be.
Fault = Callable[[Sent, Proceed], Awaitable[Answered]]


def parsed(body: bytes) -> Resource:
    """The object that a body holds, else {}."""
    try:
        return as_dict(fhir_json.parse(body, max_bytes=_MAX_BYTES))
    except fhir_json.JsonRefused:
        return {}


def entries(bundle: Resource) -> list[Element]:
    """The entries of a Bundle."""
    return [as_dict(entry) for entry in as_list(bundle.get("entry"))]


def on_request(change: Callable[[Sent], Sent]) -> Fault:
    """A fault that only changes what is asked."""

    async def fault(sent: Sent, proceed: Proceed) -> Answered:
        return await proceed(change(sent))

    return fault


def on_answer(change: Callable[[Sent, Answered], Answered]) -> Fault:
    """A fault that only changes what is answered."""

    async def fault(sent: Sent, proceed: Proceed) -> Answered:
        return change(sent, await proceed(sent))

    return fault


def on_stored(change: Callable[[Resource], Resource]) -> Fault:
    """A fault that changes each resource before it is kept, also those within a Bundle."""

    def changed(sent: Sent) -> Sent:
        resource = sent.resource
        if not sent.is_write or not resource:
            return sent
        if not sent.is_bundle:
            return sent.carrying(change(resource))
        kept = [
            {**entry, "resource": change(entry["resource"])} if "resource" in entry else entry
            for entry in entries(resource)
        ]
        return sent.carrying({**resource, "entry": kept})

    return on_request(changed)
