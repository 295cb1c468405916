"""Questionnaires as a library, on plain FHIR JSON: no server, store or settings needed.

from fhir_gateway.questionnaire import assemble, enabled_items, validate_response
"""

from fhir_gateway.questionnaire.assembly import assemble
from fhir_gateway.questionnaire.enablement import enabled_items
from fhir_gateway.questionnaire.validation import validate_response

__all__ = ["assemble", "enabled_items", "validate_response"]
