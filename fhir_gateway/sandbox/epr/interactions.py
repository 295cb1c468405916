"""What one request may do to one resource: the rules of create, read, update and delete.

https://hl7.org/fhir/R4/http.html. Each works within a session that the caller owns.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from fhir_gateway.fhir.check import problems
from fhir_gateway.fhir.outcome import issue
from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.sandbox.epr.faults import (
    BAD_REQUEST,
    CONFLICT,
    GONE,
    NOT_FOUND,
    PRECONDITION_FAILED,
    UNPROCESSABLE,
    Fault,
    fault,
)
from fhir_gateway.sandbox.epr.parameters import TYPES
from fhir_gateway.sandbox.epr.query import read_criteria
from fhir_gateway.sandbox.epr.references import (
    ID,
    Change,
    Key,
    relative_to,
    rewritten,
    unresolvable,
)
from fhir_gateway.sandbox.epr.search import only_match
from fhir_gateway.sandbox.epr.session import Session, Version

_ETAG = re.compile(r'W/"(\d{1,9})"')


class Done(NamedTuple):
    """What an interaction did: an HTTP status, and the version it made or found."""

    status: int
    version: Version


def check_type(resource_type: str) -> None:
    """Raises Fault (404) for a type that this server does not keep."""
    if resource_type not in TYPES:
        raise fault(NOT_FOUND, "not-supported", "This server does not keep resources of that type.")


def checked(value: Any, resource_type: str) -> Resource:
    """What was sent, when it is a resource of the type that the address names.

    Raises Fault: 400 for another thing or type, 422 for a resource that is not valid R4.
    """
    if not isinstance(value, dict) or value.get("resourceType") != resource_type:
        raise fault(BAD_REQUEST, "invalid", f"The content must be a {resource_type}.")
    try:
        errors = [found for found in problems(value) if found["severity"] in ("fatal", "error")]
    except (KeyError, TypeError):
        # How the libraries beneath fail on contained resources of unknown types, and on integers
        # beyond 64 bits.
        raise fault(UNPROCESSABLE, "structure", "The content cannot be read as FHIR R4.") from None
    if errors:
        raise Fault(UNPROCESSABLE, errors)
    return value


def linked(resource: Resource, base: str, change: Change | None = None) -> Resource:
    """The resource with its references as they are stored: made relative, and as `change` says.

    Raises Fault (422) for references that lead nowhere.
    """
    changed = rewritten(resource, change) if change else resource
    stored: Resource = rewritten(changed, relative_to(base))
    issues = list(unresolvable(stored))
    if issues:
        raise Fault(UNPROCESSABLE, issues)
    return stored


def new_key(resource_type: str) -> Key:
    """A key with an id that nobody has."""
    return Key(resource_type, str(uuid.uuid4()))


def existing(session: Session, resource_type: str, criteria: str | None) -> Version | None:
    """What a conditional create finds; `criteria` as in If-None-Exist, None for none.

    Raises Fault: 400 for criteria this server does not understand, 412 for several matches.
    """
    if criteria is None:
        return None
    pairs = parse_qsl(criteria, keep_blank_values=True)
    key = only_match(session, read_criteria(resource_type, pairs))
    return session.latest(key) if key else None


def create(session: Session, resource: Resource, criteria: str | None) -> Done:
    """Create, or find what is there already. Raises Fault (see `existing` and `settle`)."""
    found = existing(session, resource["resourceType"], criteria)
    if found:
        return Done(200, found)
    version = session.write(new_key(resource["resourceType"]), resource, "POST")
    settle(session, version.key)
    return Done(201, version)


def update(session: Session, key: Key, resource: Resource, if_match: str | None) -> Done:
    """Replace a resource, or create it under the client's id.

    Raises Fault: 400 for an id that differs, 412 when If-Match names another version.
    """
    done = put(session, key, resource, if_match)
    settle(session, key)
    return done


def put(session: Session, key: Key, resource: Resource, if_match: str | None) -> Done:
    """`update`, leaving the look at its references to the caller."""
    if resource.get("id") != key.id:
        raise fault(BAD_REQUEST, "invalid", "The resource needs the id that its address has.")
    if not ID.fullmatch(key.id):
        raise fault(BAD_REQUEST, "value", "An id has 1 to 64 letters, digits, '-' and '.'.")
    before = session.latest(key)
    live = before is not None and before.resource is not None
    _check_version(before if live else None, if_match)
    return Done(200 if live else 201, session.write(key, resource, "PUT"))


def delete(session: Session, key: Key) -> None:
    """Delete; deleting what is not there is fine too (https://hl7.org/fhir/R4/http.html#delete).

    Raises Fault (409) while other resources refer to it.
    """
    remove(session, key)
    check_unreferenced(session, key)


def remove(session: Session, key: Key) -> None:
    """`delete`, leaving the look at what refers to it to the caller."""
    if session.is_live(key):
        session.write(key, None, "DELETE")


def read(session: Session, key: Key) -> Version:
    """The present version. Raises Fault: 404, or 410 for a deleted resource."""
    return _there(session.latest(key))


def vread(session: Session, key: Key, number: str) -> Version:
    """One version. Raises Fault: 404, or 410 when that version is the deletion."""
    known = number.isascii() and number.isdigit() and len(number) < 10  # noqa: PLR2004
    return _there(session.version(key, int(number)) if known else None)


def versions(session: Session, key: Key) -> list[Version]:
    """All versions, newest first, deletions too. Raises Fault (404)."""
    found = session.history(key)
    if not found:
        raise _unknown()
    return found


def settle(session: Session, key: Key) -> None:
    """Raises Fault (422) when a resource refers to one that is not here."""
    missing = session.dangling(key)
    if missing:
        raise Fault(UNPROCESSABLE, _not_here(missing))


def check_unreferenced(session: Session, key: Key) -> None:
    """Raises Fault (409) when a resource is deleted and others refer to it."""
    if not session.is_live(key) and session.links_to(key):
        raise fault(CONFLICT, "conflict", "Other resources refer to this one.")


def _not_here(missing: Iterable[Key]) -> list[Element]:
    return [
        issue("error", "not-found", f"{key.type} resource that is referred to is not here.")
        for key in sorted(missing)
    ]


def _check_version(live: Version | None, if_match: str | None) -> None:
    if if_match is None:
        return
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise fault(BAD_REQUEST, "value", 'If-Match must be an entity tag such as W/"1".')
    if live is None or live.number != int(match[1]):
        raise fault(PRECONDITION_FAILED, "conflict", "The resource is of another version by now.")


def _there(version: Version | None) -> Version:
    if version is None:
        raise _unknown()
    if version.resource is None:
        raise fault(GONE, "deleted", "The resource is deleted.")
    return version


def _unknown() -> Fault:
    return fault(NOT_FOUND, "not-found", "There is no such resource.")
