"""The CapabilityStatement, made from the tables that the server itself works by.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

from datetime import datetime
from importlib.metadata import version

from fhir_gateway.fhir.search.parameter import Kind, Parameter
from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.sandbox.epr.moments import instant
from fhir_gateway.sandbox.epr.negotiation import FHIR_JSON
from fhir_gateway.sandbox.epr.parameters import TYPES

FHIR_VERSION = "4.0.1"
#: What may be done with every type, and with the server as a whole; fhir_routes.py does it.
INTERACTIONS = ("create", "read", "vread", "update", "delete", "history-instance", "search-type")
SYSTEM_INTERACTIONS = ("transaction", "batch")
PROCESS_MESSAGE = "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message"


def statement(base: str, started: datetime) -> Resource:
    """What the server at `base` does, as of when it was started."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instant(started),
        "kind": "instance",
        "software": {"name": "fhir_gateway sandbox EPR", "version": version("fhir-gateway")},
        "implementation": {
            "description": "A stand-in for a hospital's EPR, for synthetic patients only",
            "url": base,
        },
        "fhirVersion": FHIR_VERSION,
        "format": [FHIR_JSON, "json"],
        "rest": [
            {
                "mode": "server",
                "resource": [_resource(name) for name in sorted(TYPES)],
                "interaction": [{"code": code} for code in SYSTEM_INTERACTIONS],
                "operation": [{"name": "process-message", "definition": PROCESS_MESSAGE}],
            }
        ],
    }


def _resource(resource_type: str) -> Element:
    references = [p for p in TYPES[resource_type].values() if p.kind is Kind.REFERENCE]
    resource: Element = {
        "type": resource_type,
        "interaction": [{"code": code} for code in INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "not-supported",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal", "logical", "enforced"],
        "searchParam": [_parameter(p) for p in TYPES[resource_type].values()],
    }
    if references:
        resource["searchInclude"] = [f"{resource_type}:{p.name}" for p in references]
    reverse = sorted(_rev_includes(resource_type))
    return {**resource, "searchRevInclude": reverse} if reverse else resource


def _parameter(parameter: Parameter) -> Element:
    return {"name": parameter.name, "type": parameter.kind.declared}


def _rev_includes(target: str) -> set[str]:
    """Which references may lead to a type; those without a stated target may lead anywhere."""
    return {
        f"{source}:{p.name}"
        for source, parameters in TYPES.items()
        for p in parameters.values()
        if p.kind is Kind.REFERENCE and (not p.targets or target in p.targets)
    }
