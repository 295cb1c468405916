"""The CapabilityStatement, generated from what the routes serve."""

from __future__ import annotations

from fhir_gateway import __version__
from fhir_gateway.fhir.types import Resource
from fhir_gateway.rest.answers import FHIR_JSON
from fhir_gateway.rest.definitions import PARAMETERS, TYPES
from fhir_gateway.rest.extract import OPERATION

_KINDS = {"_id": "token", "url": "uri", "version": "token", "name": "string", "status": "token"}


def capability_statement(base_url: str, *, date: str) -> Resource:
    """https://hl7.org/fhir/R4/capabilitystatement.html. `date`: when the process started, ISO."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "publisher": "fhir_gateway project",
        "kind": "instance",
        "software": {"name": "fhir_gateway", "version": __version__},
        "implementation": {
            "description": "Gateway for patient-initiated follow-up: the published questionnaires",
            "url": base_url,
        },
        "fhirVersion": "4.0.1",
        "format": [FHIR_JSON],
        "rest": [
            {
                "mode": "server",
                "resource": [
                    {
                        "type": resource_type,
                        "interaction": [{"code": "read"}, {"code": "search-type"}],
                        "searchParam": [
                            {"name": name, "type": _KINDS[name]} for name in PARAMETERS
                        ],
                    }
                    for resource_type in TYPES
                ]
                + [
                    {
                        "type": "QuestionnaireResponse",
                        "operation": [{"name": "extract", "definition": OPERATION}],
                    }
                ],
            }
        ],
    }
