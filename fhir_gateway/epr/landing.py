"""Reading from an answer what the EPR called a resource."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from fhir_gateway.epr.adapter import Landed
from fhir_gateway.epr.exchange import Answer
from fhir_gateway.fhir.types import Resource, as_dict, as_str

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_ETAG = re.compile(r'(?:W/)?"?([A-Za-z0-9\-.]{1,64})"?')


def of_location(location: str, resource_type: str) -> Landed | None:
    """What a Location names: absolute or relative, with a version or not, whatever its host, which
    is never followed. None when it names nothing of this type."""
    path, _, version = urlsplit(location).path.partition("/_history/")
    parts = path.strip("/").split("/")
    if len(parts) < 2 or parts[-2] != resource_type or not _ID.fullmatch(parts[-1]):  # noqa: PLR2004
        return None
    number = version.strip("/")
    return Landed(f"{resource_type}/{parts[-1]}", number if _ID.fullmatch(number) else "")


def of_resource(resource: Resource) -> Landed:
    """What a resource that the EPR returned is called."""
    version = as_str(as_dict(resource.get("meta")).get("versionId"))
    return Landed(f"{resource['resourceType']}/{resource['id']}", version)


def of_answer(answer: Answer, resource_type: str) -> Landed | None:
    """What an answer to a write names: by its Location, its Content-Location or its body; with the
    version of its ETag where nothing else tells."""
    found = None
    for header in ("location", "content-location"):
        found = found or of_location(answer.headers.get(header, ""), resource_type)
    body = answer.body
    named = body.get("resourceType") == resource_type and bool(body.get("id"))
    if named and (found is None or found.reference == f"{resource_type}/{body['id']}"):
        found = Landed(of_resource(body).reference, _version(found) or of_resource(body).version)
    if found and not found.version:
        etag = _ETAG.fullmatch(answer.headers.get("etag", "").strip())
        found = Landed(found.reference, etag[1] if etag else "")
    return found


def _version(landed: Landed | None) -> str:
    return landed.version if landed else ""
