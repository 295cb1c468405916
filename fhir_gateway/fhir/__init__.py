"""FHIR as a language: JSON, FHIRPath, terminology, bundles, narrative. No I/O, no clock."""
