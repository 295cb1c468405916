"""What goes over the wire and comes back, kept as it was for asserts and reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from fhir_gateway.errors import Refused
from fhir_gateway.fhir import exchange_xml, wire
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import Resource

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Content:
    """Something that asserts and variables look into: a fixture, a request or an answer.

    `local_id`: its id only names it within the script, as that of a contained resource does.
    """

    body: bytes = b""
    media_type: str = ""
    headers: Headers = ()
    local_id: bool = field(default=False, kw_only=True)

    @cached_property
    def resource(self) -> Resource | None:
        """The FHIR resource in the body; None when there is none that can be read."""
        return wire.decode(self.body, self.media_type)

    @property
    def unreadable(self) -> str:
        """Why there is no resource in the body."""
        body = self.body.lstrip(b"\xef\xbb\xbf \t\r\n")
        try:
            if body[:1] == b"{":
                fhir_json.parse(body, max_bytes=wire.MAX_BODY)
                return "The JSON has no resourceType."
            if body[:1] == b"<" and "html" not in self.media_type:
                exchange_xml.parse(body)
        except Refused as error:
            return str(error)
        if not body:
            return "The body is empty."
        return f"It is {self.media_type or 'of no type'}, and neither a JSON object nor FHIR XML."

    def header(self, name: str) -> str | None:
        """A header's value, whatever the case of its name; several joined by a comma."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(found) if found else None


@dataclass(frozen=True)
class Sent(Content):
    """A request as it went out."""

    method: str = "GET"
    url: str = ""


@dataclass(frozen=True)
class Answer(Content):
    """An answer as it came in."""

    status: int = 0
    reason: str = ""
    http_version: str = "HTTP/1.1"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer; without one, `problem` says what went wrong."""

    sent: Sent
    answer: Answer | None
    started: datetime
    seconds: float
    problem: str = ""
