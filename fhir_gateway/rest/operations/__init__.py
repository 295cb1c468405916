"""The operations of the FHIR API, one file a family; each registers what it serves."""
