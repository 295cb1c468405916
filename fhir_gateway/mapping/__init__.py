"""Mappings as a library, on plain FHIR JSON: `from fhir_gateway.mapping import extract`."""

from fhir_gateway.mapping.extraction import Extraction, extract

__all__ = ["Extraction", "extract"]
