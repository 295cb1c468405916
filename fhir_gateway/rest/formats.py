"""Which formats this API reads and writes, and what an Accept header or `_format` means by them.

https://hl7.org/fhir/R4/http.html#mime-type
"""

from __future__ import annotations

from email.message import Message
from typing import NamedTuple

from fhir_gateway.fhir.wire import JSON, XML

FORM = "application/x-www-form-urlencoded"
#: What a client may call a format, in a header and in `_format`.
NAMES = {
    JSON: JSON,
    "application/json": JSON,
    "text/json": JSON,
    "json": JSON,
    XML: XML,
    "application/xml": XML,
    "text/xml": XML,
    "xml": XML,
}
_ANY = ("*/*", "application/*")
_VERSIONS = ("", "4.0", "4.0.1")
_CHARSETS = ("", "utf-8", "utf8")


class MediaType(NamedTuple):
    """A media type in lower case, with the parameters that matter; '' for what is not there."""

    name: str
    version: str
    charset: str
    quality: float


def media_type(text: str) -> MediaType:
    """One media type or range of a header."""
    message = Message()
    message["content-type"] = text.strip() or "/"
    version = message.get_param("fhirversion")
    try:
        quality = min(max(float(str(message.get_param("q") or 1)), 0.0), 1.0)
    except ValueError:
        quality = 1.0
    return MediaType(
        text.partition(";")[0].strip().lower(),
        version if isinstance(version, str) else "",
        message.get_content_charset("").lower(),
        quality,
    )


def content_format(header: str) -> str | None:
    """JSON, XML or FORM for a Content-Type; None for what this API does not read."""
    kind = media_type(header)
    if kind.version not in _VERSIONS or kind.charset not in _CHARSETS:
        return None
    return FORM if kind.name == FORM else NAMES.get(kind.name)


def wanted_format(accept: str | None, given: str | None) -> str | None:
    """JSON or XML, as a client takes it; None when it takes neither.

    `given`: of `_format`, which goes before the header. A plus sign that was not encoded arrives as
    a space. Among equals JSON wins.
    """
    if given:
        kind = media_type(given.strip().replace(" ", "+") if "/" in given else given)
        return NAMES.get(kind.name) if kind.version in _VERSIONS else None
    best: tuple[float, int, str] | None = None
    for text in (accept or "*/*").split(","):
        kind = media_type(text)
        found = JSON if kind.name in _ANY else NAMES.get(kind.name)
        if found is None or not kind.quality or kind.version not in _VERSIONS:
            continue
        rank = (kind.quality, kind.name not in _ANY, found)
        if best is None or (rank[0], rank[1]) > (best[0], best[1]):
            best = rank
    return best[2] if best else None
