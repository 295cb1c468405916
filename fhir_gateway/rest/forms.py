"""The form of a search by POST (https://hl7.org/fhir/R4/http.html#search)."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request

from fhir_gateway.rest.formats import FORM, content_format
from fhir_gateway.rest.problem import BAD_REQUEST, UNSUPPORTED_MEDIA_TYPE, Problem

MAX_FIELDS = 500


async def form_parameters(request: Request) -> list[tuple[str, str]]:
    """Name and value of each field, in order.

    Raises Problem: 415 for a body that is no form, 400 for one that is not UTF-8 or has more than
    MAX_FIELDS fields.
    """
    body = await request.body()
    if not body:
        return []
    if content_format(request.headers.get("content-type", "")) != FORM:
        raise Problem(UNSUPPORTED_MEDIA_TYPE, "not-supported", f"A search is sent as {FORM}.")
    try:
        return parse_qsl(
            body.decode(),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise Problem(
            BAD_REQUEST, "structure", f"The form is not UTF-8 or has over {MAX_FIELDS} fields."
        ) from None
