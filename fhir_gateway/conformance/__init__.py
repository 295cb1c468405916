"""Conformance testing of any FHIR server: FHIR R4 TestScripts in, TestReports out.

It speaks HTTP to its target and knows nothing of the gateway: it imports `fhir/`, and, in
credentials.py alone, the token client of `auth/`.
"""
