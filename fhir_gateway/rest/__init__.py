"""The FHIR REST API (https://hl7.org/fhir/R4/http.html)."""
