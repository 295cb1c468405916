"""Resources in and out over HTTP: JSON or XML, as the client sends and takes them.

https://hl7.org/fhir/R4/http.html#mime-type, https://hl7.org/fhir/R4/http.html#parameters
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from fhir_gateway.errors import Defect
from fhir_gateway.fhir import exchange_xml
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.exchange_xml import XmlRefused
from fhir_gateway.fhir.json import JsonRefused
from fhir_gateway.fhir.subset import subset
from fhir_gateway.fhir.types import Resource
from fhir_gateway.fhir.wire import JSON, XML
from fhir_gateway.rest.formats import content_format, wanted_format
from fhir_gateway.rest.problem import (
    BAD_REQUEST,
    NOT_ACCEPTABLE,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    Problem,
)

#: What any request to the API may weigh.
MAX_BYTES = 5_000_000
_MOST = 2**63
_SUMMARIES = ("true", "text", "data", "count", "false")
_log = structlog.get_logger("rest")


async def read_resource(request: Request) -> Resource:
    """The resource in a request's body, JSON or XML by its Content-Type.

    Raises Problem: 415 for another type, character set or version, 413 for more than MAX_BYTES,
    400 for what is no FHIR resource in that format (bad UTF-8, duplicate keys, a document type,
    elements of no FHIR namespace, nesting beyond reason).
    """
    return await run_in_threadpool(
        parse_resource, await request.body(), request.headers.get("content-type", "")
    )


def check_encoding(request: Request) -> None:
    """Raises Problem (415) for a body that is packed (https://www.rfc-editor.org/rfc/rfc9110
    section 8.4): it would be read as what it is not."""
    if request.headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
        raise Problem(
            UNSUPPORTED_MEDIA_TYPE,
            "not-supported",
            "A body is sent as it is, without Content-Encoding.",
            headers={"Accept-Encoding": "identity"},
        )


def parse_resource(body: bytes, content_type: str) -> Resource:
    """The resource in a body. Without a Content-Type, what it begins with decides."""
    if len(body) > MAX_BYTES:
        raise too_large()
    form = content_format(content_type) if content_type else _guess(body)
    if form not in (JSON, XML):
        raise Problem(
            UNSUPPORTED_MEDIA_TYPE,
            "not-supported",
            f"This is read as {JSON} or {XML}, of FHIR 4.0 and in UTF-8.",
            headers={"Accept": f"{JSON}, {XML}"},
        )
    try:
        if form == XML:
            return exchange_xml.parse(body, strict=True)
        value = fhir_json.parse(body, max_bytes=MAX_BYTES)
    except (JsonRefused, XmlRefused) as error:
        raise Problem(BAD_REQUEST, "structure", str(error)) from None
    return _checked(value)


def _guess(body: bytes) -> str:
    return XML if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" else JSON


def _checked(value: Any) -> Resource:
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise Problem(
            BAD_REQUEST, "structure", "The body is no FHIR resource: it has no resourceType."
        )
    if not _is_text(value):
        raise Problem(BAD_REQUEST, "value", "A string has control characters, which FHIR forbids.")
    if not _fits(value):
        raise Problem(BAD_REQUEST, "value", "A number is beyond what FHIR allows.")
    return value


def _fits(value: Any) -> bool:
    """Whether all whole numbers have room in 64 bits, as whatever writes them needs."""
    if isinstance(value, int):
        return -_MOST <= value < _MOST
    if isinstance(value, dict):
        return all(map(_fits, value.values()))
    return all(map(_fits, value)) if isinstance(value, list) else True


def _is_text(value: Any) -> bool:
    """Whether all strings are of characters that FHIR, and XML, allow."""
    if isinstance(value, str):
        return exchange_xml.is_text(value)
    if isinstance(value, dict):
        return all(_is_text(key) and _is_text(inner) for key, inner in value.items())
    return all(map(_is_text, value)) if isinstance(value, list) else True


def too_large() -> Problem:
    """The body is larger than this API reads."""
    return Problem(TOO_LARGE, "too-costly", f"A request may have {MAX_BYTES:,} bytes at the most.")


def parameters_of(request: Request) -> Sequence[tuple[str, str]]:
    """The parameters of a request: of its query, and of its form where it is a search by POST
    (which the kernel has put into `request.state.parameters`)."""
    known: Sequence[tuple[str, str]] | None = getattr(request.state, "parameters", None)
    return request.query_params.multi_items() if known is None else known


def check_accept(request: Request) -> str:
    """The format to answer in. Raises Problem (406) when the client takes neither JSON nor XML."""
    given = dict(parameters_of(request)).get("_format")
    form = wanted_format(request.headers.get("accept"), given)
    if form is None:
        raise Problem(
            NOT_ACCEPTABLE, "not-supported", f"This API answers in {JSON} and {XML}, of FHIR 4.0."
        )
    return form


def respond(
    request: Request,
    resource: Resource | None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A resource as the answer: in the format of `_format` or Accept, indented by `_pretty`, cut by
    `_summary` and `_elements`; without a body for None.

    Raises Problem: 406 for a format that is not written, 400 for a bad `_summary`.
    """
    form = check_accept(request)
    if resource is None:
        return Response(status_code=status, headers=headers)
    parameters = dict(parameters_of(request))
    if resource.get("resourceType") != "OperationOutcome":
        resource = cut(resource, parameters)
    pretty = parameters.get("_pretty", "") == "true"
    content = _written(resource, form, pretty=pretty)
    given = {name: value for name, value in (headers or {}).items() if name != "Content-Type"}
    return Response(content, status, given, media_type=f"{form}; charset=utf-8")


def cut(resource: Resource, parameters: Mapping[str, str]) -> Resource:
    """A resource cut by `_summary` and `_elements`. Raises Problem (400) for a bad `_summary`."""
    summary = parameters.get("_summary", "") or "false"
    if summary not in _SUMMARIES:
        raise Problem(BAD_REQUEST, "value", f"_summary is one of {', '.join(_SUMMARIES)}.")
    elements = [name.strip() for name in parameters.get("_elements", "").split(",")]
    return subset(resource, summary=summary, elements=[name for name in elements if name])


def _written(resource: Resource, form: str, *, pretty: bool) -> bytes:
    if form == JSON:
        return fhir_json.dump(resource, pretty=pretty)
    try:
        return exchange_xml.dump(resource, pretty=pretty)
    except (Defect, ValueError) as error:
        _log.warning("no XML", type=resource.get("resourceType"), error=type(error).__name__)
        raise Problem(
            NOT_ACCEPTABLE, "not-supported", f"This cannot be written as XML; ask for {JSON}."
        ) from None


def problem_response(request: Request, problem: Problem) -> Response:
    """A problem as the answer; in JSON when the client takes neither format."""
    try:
        return respond(request, problem.outcome(), status=problem.status, headers=problem.headers)
    except Problem:
        return Response(
            fhir_json.dump(problem.outcome()),
            problem.status,
            problem.headers,
            media_type=f"{JSON}; charset=utf-8",
        )
