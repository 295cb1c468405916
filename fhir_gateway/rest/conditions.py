"""Headers that make a request conditional or say what its answer shall be.

https://hl7.org/fhir/R4/http.html#versioning, #cread, #ccreate and #ops
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import parse_qsl

from fastapi import Request

from fhir_gateway.fhir.types import Resource, as_dict, as_str
from fhir_gateway.rest.problem import BAD_REQUEST, PRECONDITION_FAILED, Problem

_ETAG = re.compile(r'(?:W/)?"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Preferences:
    """The Prefer header. `returns`: minimal, representation, OperationOutcome or ''. `strict`:
    whether parameters that are not known are refused."""

    returns: str
    strict: bool


def preferences(request: Request) -> Preferences:
    """What the client prefers; what is not understood is passed over (RFC 7240)."""
    given = ",".join(request.headers.getlist("prefer"))
    found = dict(re.findall(r"(\w+)\s*=\s*\"?([\w-]+)", given))
    return Preferences(found.get("return", ""), found.get("handling") == "strict")


def etag(version: str) -> str:
    """The weak ETag of a version: `W/"3"`."""
    return f'W/"{version}"'


def http_date(moment: datetime) -> str:
    """A moment as HTTP writes it, such as `Tue, 24 Nov 2026 12:18:00 GMT`."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def version_headers(resource: Resource) -> dict[str, str]:
    """ETag and Last-Modified of a resource, by its meta."""
    meta = as_dict(resource.get("meta"))
    headers = {}
    if as_str(meta.get("versionId")):
        headers["ETag"] = etag(as_str(meta["versionId"]))
    if as_str(meta.get("lastUpdated")):
        headers["Last-Modified"] = http_date(datetime.fromisoformat(meta["lastUpdated"]))
    return headers


def if_match(request: Request) -> str | None:
    """The version that an update is based on; None when the client does not say.

    Raises Problem (400) for a header that is no ETag.
    """
    header = request.headers.get("if-match")
    if header is None:
        return None
    match = _ETAG.fullmatch(header.strip())
    if match is None:
        raise Problem(BAD_REQUEST, "value", 'If-Match must be an ETag such as W/"1".')
    return match[1]


def check_if_match(request: Request, version: str) -> None:
    """Raises Problem (412) when the client's version is not the one there is."""
    given = if_match(request)
    if given is not None and given != version:
        raise Problem(
            PRECONDITION_FAILED,
            "conflict",
            "The resource has changed since that version: read it again.",
        )


def is_unmodified(request: Request, headers: dict[str, str]) -> bool:
    """Whether the client has what these headers are of (conditional read): then 304 is enough."""
    known = request.headers.get("if-none-match")
    if known is not None:
        current = _ETAG.fullmatch(headers.get("ETag", ""))
        return current is not None and (known.strip() == "*" or current[1] in _ETAG.findall(known))
    since, changed = request.headers.get("if-modified-since"), headers.get("Last-Modified")
    if since is None or changed is None:
        return False
    try:
        return parsedate_to_datetime(changed) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False


def if_none_exist(request: Request) -> list[tuple[str, str]] | None:
    """The criteria of a conditional create, as parameters; None when there are none.

    Raises Problem (400) for a header that is no query.
    """
    header = request.headers.get("if-none-exist")
    if header is None:
        return None
    pairs = parse_qsl(header.rpartition("?")[2], keep_blank_values=True)
    if not pairs:
        raise Problem(BAD_REQUEST, "value", "If-None-Exist must be search parameters.")
    return pairs
