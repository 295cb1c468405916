"""What a client wants and sends: Accept, _format, Content-Type and Prefer.

https://hl7.org/fhir/R4/http.html#mime-type, https://hl7.org/fhir/R4/http.html#ops
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message

from fhir_gateway.sandbox.epr.faults import NOT_ACCEPTABLE, UNSUPPORTED_MEDIA_TYPE, fault

FHIR_JSON = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"
_JSON = (FHIR_JSON, "application/json")
_ACCEPTABLE = (*_JSON, "*/*", "application/*")
_FORMATS = (*_JSON, "json", "text/json")
_FHIR_VERSIONS = ("", "4.0", "4.0.1")


@dataclass(frozen=True, slots=True)
class Preferences:
    """The Prefer header. `returns` is minimal, representation, OperationOutcome or ''."""

    returns: str
    strict: bool


def check_accept(headers: Mapping[str, str], parameters: Mapping[str, str]) -> None:
    """Raises Fault (406) when the client takes no FHIR JSON of R4. `_format` goes before Accept."""
    if "_format" in parameters:
        # A plus sign that was not encoded arrives as a space.
        wanted = parameters["_format"].replace(" ", "+").partition(";")[0]
        acceptable = wanted in _FORMATS
    else:
        acceptable = any(map(_is_acceptable, headers.get("accept", "*/*").split(",")))
    if not acceptable:
        raise fault(NOT_ACCEPTABLE, "not-supported", f"This server answers in {FHIR_JSON} only.")


def check_content(headers: Mapping[str, str]) -> None:
    """Raises Fault (415) when the body is not said to be FHIR JSON of R4 in UTF-8."""
    kind, version, charset = _media_type(headers.get("content-type", ""))
    if kind not in _JSON or version not in _FHIR_VERSIONS or charset not in ("", "utf-8"):
        raise fault(UNSUPPORTED_MEDIA_TYPE, "not-supported", f"This server reads {FHIR_JSON} only.")


def check_form(headers: Mapping[str, str]) -> None:
    """Raises Fault (415) when the body is not said to be a form, as _search wants it."""
    if _media_type(headers.get("content-type", ""))[0] != FORM:
        raise fault(UNSUPPORTED_MEDIA_TYPE, "not-supported", f"A _search is sent as {FORM}.")


def preferences(headers: Mapping[str, str]) -> Preferences:
    """What the client prefers; what is not understood is passed over (RFC 7240)."""
    found = dict(re.findall(r"(\w+)\s*=\s*\"?([\w-]+)", headers.get("prefer", "")))
    return Preferences(found.get("return", ""), found.get("handling") == "strict")


def _is_acceptable(media_range: str) -> bool:
    quality = re.search(r";\s*q\s*=\s*([\d.]+)", media_range)
    refused = quality is not None and not quality[1].strip("0.")
    kind, version, _ = _media_type(media_range)
    return kind in _ACCEPTABLE and version in _FHIR_VERSIONS and not refused


def _media_type(text: str) -> tuple[str, str, str]:
    """Type, fhirVersion and charset of a header's value, in lower case; '' for what is missing."""
    message = Message()
    message["content-type"] = text.strip() or "/"
    version = message.get_param("fhirversion")
    kind = text.partition(";")[0].strip().lower()
    charset = message.get_content_charset("")
    return kind, version if isinstance(version, str) else "", charset
