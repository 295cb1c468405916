"""Golden examples of a mapping: what comes out must be what was written down. Pure."""

from __future__ import annotations

import difflib
import uuid
from datetime import datetime

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.outcome import has_errors
from fhir_gateway.fhir.types import Resource, as_dict, as_str
from fhir_gateway.mapping.extraction import Extraction, extract
from fhir_gateway.mapping.target import Example, Target

_NO_ID = uuid.UUID(int=0)


def run_example(target: Target, questionnaire: Resource, example: Example) -> Extraction:
    """What the target makes of an example's response and context."""
    request_id = as_str(as_dict(example.context.get("request")).get("id"))
    authored = as_str(example.response.get("authored"))
    return extract(
        target.overlay(questionnaire),
        example.response,
        context={**target.concept_maps, **example.context},
        namespace=uuid.UUID(request_id) if request_id else _NO_ID,
        now=datetime.fromisoformat(authored) if authored else None,
    )


def differences(example: Example, extraction: Extraction) -> list[str]:
    """Lines of a unified diff from what was written down to what came out; none when equal.

    Errors of the extraction are lines too.
    """
    expected = fhir_json.dump(example.expected, pretty=True).decode().splitlines()
    actual = fhir_json.dump(extraction.bundle, pretty=True).decode().splitlines()
    lines = list(difflib.unified_diff(expected, actual, "expected", "actual", lineterm=""))
    if has_errors(extraction.outcome):
        lines.extend(
            f"error: {as_str(issue.get('diagnostics'))}" for issue in extraction.outcome["issue"]
        )
    return lines
