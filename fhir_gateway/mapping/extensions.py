"""Extension URLs of SDC extraction (https://hl7.org/fhir/uv/sdc/extraction.html)."""

from __future__ import annotations

_CORE = "http://hl7.org/fhir/StructureDefinition"
_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition"

# Template-based (SDC 4.0)
EXTRACT = f"{_SDC}/sdc-questionnaire-templateExtract"
EXTRACT_BUNDLE = f"{_SDC}/sdc-questionnaire-templateExtractBundle"
EXTRACT_CONTEXT = f"{_SDC}/sdc-questionnaire-templateExtractContext"
EXTRACT_VALUE = f"{_SDC}/sdc-questionnaire-templateExtractValue"
ALLOCATE_ID = f"{_SDC}/sdc-questionnaire-extractAllocateId"
#: Smart Forms: the address of a FHIRPath Patch, beside `template`; not in SDC 4.0.
PATCH_URL = (
    "https://smartforms.csiro.au/ig/StructureDefinition/TemplateExtractExtensionPatchRequestUrl"
)

# Definition-based (SDC 4.0, and the extension of SDC 3 before it)
DEFINITION_EXTRACT = f"{_SDC}/sdc-questionnaire-definitionExtract"
DEFINITION_EXTRACT_VALUE = f"{_SDC}/sdc-questionnaire-definitionExtractValue"
ITEM_EXTRACTION_CONTEXT = f"{_SDC}/sdc-questionnaire-itemExtractionContext"
ITEM_CONTEXT = f"{_SDC}/sdc-questionnaire-itemContext"

# Observation-based
OBSERVATION_EXTRACT = f"{_SDC}/sdc-questionnaire-observationExtract"
OBSERVATION_CATEGORY = f"{_SDC}/sdc-questionnaire-observation-extract-category"
UNIT = f"{_CORE}/questionnaire-unit"

# StructureMap-based: named in the outcome, not run
TARGET_STRUCTURE_MAP = f"{_SDC}/sdc-questionnaire-targetStructureMap"
