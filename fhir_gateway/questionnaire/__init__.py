"""Questionnaires as a library, on plain FHIR JSON: no server, store or settings needed.

from fhir_gateway.questionnaire import (
    assemble, enabled_items, lint, populate, validate_response,
)

Each is imported when it is first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fhir_gateway.questionnaire.assembly import assemble
    from fhir_gateway.questionnaire.enablement import enabled_items
    from fhir_gateway.questionnaire.linting import lint
    from fhir_gateway.questionnaire.population import populate
    from fhir_gateway.questionnaire.validation import validate_response

__all__ = ["assemble", "enabled_items", "lint", "populate", "validate_response"]

_HOMES = {
    "assemble": "assembly",
    "enabled_items": "enablement",
    "lint": "linting",
    "populate": "population",
    "validate_response": "validation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    globals()[name] = getattr(module, name)
    return globals()[name]
