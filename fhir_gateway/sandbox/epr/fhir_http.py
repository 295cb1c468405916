"""Requests as FHIR reads them and answers as FHIR writes them.

https://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import Response

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.json import JsonRefused
from fhir_gateway.fhir.outcome import single
from fhir_gateway.fhir.types import Resource
from fhir_gateway.sandbox.epr import moments
from fhir_gateway.sandbox.epr.faults import BAD_REQUEST, fault
from fhir_gateway.sandbox.epr.interactions import Done
from fhir_gateway.sandbox.epr.negotiation import FHIR_JSON, check_content, preferences
from fhir_gateway.sandbox.epr.session import Version

FHIR_PATH = "/fhir"
MAX_BODY_BYTES = 2_000_000


async def _read_body(request: Request) -> bytes:
    return await request.body()


#: The body, read before a handler runs, so that handlers can work in a thread of their own.
Body = Annotated[bytes, Depends(_read_body)]


def base_of(request: Request) -> str:
    """The base address of the FHIR server as this client sees it, without a slash at its end."""
    return f"{str(request.base_url).rstrip('/')}{FHIR_PATH}"


def json_content(request: Request, body: bytes) -> Any:
    """The JSON that was sent. Raises Fault: 415 for another media type, 400 for bad JSON."""
    check_content(request.headers)
    try:
        return fhir_json.parse(body, max_bytes=MAX_BODY_BYTES)
    except JsonRefused as error:
        raise fault(BAD_REQUEST, "structure", str(error)) from None


def answer(
    request: Request, status: int, resource: Resource, headers: Mapping[str, str] | None = None
) -> Response:
    """A resource as the answer; indented when the client asks with `_pretty=true`."""
    pretty = request.query_params.get("_pretty") == "true"
    content = fhir_json.dump(resource, pretty=pretty)
    return Response(content, status, headers, media_type=f"{FHIR_JSON};charset=utf-8")


def version_answer(request: Request, status: int, version: Version) -> Response:
    """A version of a resource as the answer, with ETag and Last-Modified."""
    return answer(request, status, version.resource or {}, _version_headers(version))


def done_answer(request: Request, done: Done) -> Response:
    """What a create or update answers: the body that the client prefers, and where it is."""
    location = f"{base_of(request)}/{done.version.location}"
    headers = {**_version_headers(done.version), "Location": location}
    match preferences(request.headers).returns:
        case "minimal":
            return Response(status_code=done.status, headers=headers)
        case "OperationOutcome":
            outcome = single("information", "informational", "The resource is stored.")
            return answer(request, done.status, outcome, headers)
        case _:
            return answer(request, done.status, done.version.resource or {}, headers)


def _version_headers(version: Version) -> dict[str, str]:
    return {"ETag": version.etag, "Last-Modified": moments.http_date(version.at)}
