"""A stand-in for the PDS FHIR API, with invented people."""
