"""A Binary as what it is, for those who do not ask for FHIR.

https://hl7.org/fhir/R4/binary.html#rest
"""

from __future__ import annotations

import base64
import binascii
import re

from fastapi import Request
from starlette.responses import Response

from fhir_gateway.fhir.types import Resource, as_str
from fhir_gateway.rest.formats import NAMES, media_type
from fhir_gateway.rest.negotiation import parameters_of

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}")
#: What a client sent may be a page with a script: nothing of it may run, or open by itself.
_HARMLESS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Content-Disposition": "attachment",
}


def wants_content(request: Request) -> bool:
    """Whether the client asks for the content and not for a resource: its Accept names no FHIR
    format, nor does `_format`."""
    if dict(parameters_of(request)).get("_format"):
        return False
    accepted = request.headers.get("accept", "*/*").split(",")
    return not any(media_type(text).name in NAMES for text in accepted)


def content(resource: Resource, headers: dict[str, str]) -> Response:
    """The content of a Binary, as a download."""
    kind = as_str(resource.get("contentType"))
    try:
        data = base64.b64decode(as_str(resource.get("data")))
    except (binascii.Error, ValueError):
        data = b""
    return Response(
        data,
        headers={
            **headers,
            **_HARMLESS,
            "Content-Type": kind if _MEDIA_TYPE.fullmatch(kind) else "application/octet-stream",
        },
    )
