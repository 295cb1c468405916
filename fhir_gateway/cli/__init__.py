"""The command `fhir-gateway`: a file for each group of commands."""
