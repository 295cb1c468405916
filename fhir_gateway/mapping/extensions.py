"""Extension URLs of SDC 4.0 template-based extraction
(https://hl7.org/fhir/uv/sdc/extraction.html#template-based-extraction)."""

from __future__ import annotations

_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition"

EXTRACT = f"{_SDC}/sdc-questionnaire-templateExtract"
EXTRACT_CONTEXT = f"{_SDC}/sdc-questionnaire-templateExtractContext"
EXTRACT_VALUE = f"{_SDC}/sdc-questionnaire-templateExtractValue"
ALLOCATE_ID = f"{_SDC}/sdc-questionnaire-extractAllocateId"
