"""FHIR search without a database: parameters, the values a resource is found by, and reading what
is asked for. https://hl7.org/fhir/R4/search.html"""
