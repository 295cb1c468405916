"""FHIR resources as bytes on the wire, JSON or XML."""

from __future__ import annotations

from fhir_gateway.errors import Refused
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import Resource

JSON = "application/fhir+json"
XML = "application/fhir+xml"
MAX_BODY = 5_000_000


def encode(resource: Resource, media_type: str = JSON) -> bytes:
    """A resource as bytes. Raises Defect when it cannot be written in XML without loss."""
    if media_type == XML:
        from fhir_gateway.fhir import exchange_xml

        return exchange_xml.dump(resource)
    return fhir_json.dump(resource)


def decode(content: bytes, content_type: str = "") -> Resource | None:
    """The resource in a body; None when there is none that can be read.

    Servers name types wrongly, so what the bytes begin with counts: `{` is JSON, `<` is XML. A page
    in HTML is no resource. `content_type` is only asked whether the bytes are XML for certain.
    """
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    try:
        if start == b"{":
            value = fhir_json.parse(content, max_bytes=MAX_BODY)
        elif start == b"<" and "html" not in content_type:
            from fhir_gateway.fhir import exchange_xml

            value = exchange_xml.parse(content)
        else:
            return None
    except Refused:
        return None
    return value if isinstance(value, dict) and value.get("resourceType") else None
