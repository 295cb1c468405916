"""A stand-in for a hospital's EPR: a FHIR R4 server and an inbox for staff."""
