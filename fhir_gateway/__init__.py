"""FHIR-native gateway for patient-initiated follow-up (PIFU) in the NHS."""

__version__ = "0.1.0"
