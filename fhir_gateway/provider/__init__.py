"""Hospital services as FHIR resources."""
