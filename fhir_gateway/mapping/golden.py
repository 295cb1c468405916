"""Golden examples of a mapping: what comes out must be what was written down. Pure."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str
from fhir_gateway.mapping.apply import apply
from fhir_gateway.mapping.compare import differences
from fhir_gateway.mapping.extraction import Extraction
from fhir_gateway.mapping.target import Example, Target

_NO_ID = uuid.UUID(int=0)
_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)
PDF = "application/pdf"
LEFT_OUT = "(PDF)"


def run_example(target: Target, questionnaire: Resource, example: Example) -> Extraction:
    """What the target makes of an example's response and context."""
    request = as_dict(example.context.get("request"))
    request_id = as_str(request.get("id"))
    moment = as_str(request.get("accepted")) or as_str(example.response.get("authored"))
    return apply(
        target,
        questionnaire,
        example.response,
        example.context,
        namespace=_uuid(request_id),
        now=_moment(moment),
    )


def golden(bundle: Resource) -> Any:
    """The Bundle as it is written down: without the bytes of PDFs, which tests of their own judge
    (a new version of the PDF library may write others), and the digest of the mapping's files."""
    return _written(bundle)


def example_differences(example: Example, extraction: Extraction) -> list[str]:
    """What differs from what was written down, one line each, and what went wrong."""
    lines = list(differences(example.expected, golden(extraction.bundle)))
    # A narrative says again what differs elsewhere; it is shown when it alone differs.
    lines = [line for line in lines if ".text.div: expected" not in line] or lines
    lines.extend(
        f"{as_str(issue.get('severity'))}: {as_str(issue.get('diagnostics'))}"
        for issue in map(as_dict, as_list(extraction.outcome.get("issue")))
        if issue.get("severity") != "information"
    )
    return lines


def _written(value: Any) -> Any:
    if isinstance(value, list):
        return [_written(part) for part in value]
    if isinstance(value, dict):
        kept = {key: _written(part) for key, part in value.items()}
        if kept.get("contentType") == PDF and "data" in kept:
            kept["data"] = LEFT_OUT
            kept.pop("size", None)
        return kept
    return value


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return _NO_ID


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return _NO_TIME
    return found if found.tzinfo else found.replace(tzinfo=UTC)
