"""The generated pages of any Questionnaire on one's own machine: nothing is stored or sent."""

from fhir_gateway.web.preview.app import create_preview_app
from fhir_gateway.web.preview.trial import Trial

__all__ = ["Trial", "create_preview_app"]
