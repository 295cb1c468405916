"""The CapabilityStatement, generated from what is registered.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

from fhir_gateway import __version__
from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.fhir.wire import JSON, XML
from fhir_gateway.rest import documentation
from fhir_gateway.rest.registry import Interaction, Operation, Parameter, Registry, Served

FHIR_VERSION = "4.0.1"


def capability_statement(
    registry: Registry, base_url: str, *, date: str, security: Element | None = None
) -> Resource:
    """`date`: when the process started, ISO. `security`: how clients are authorised."""
    rest: Element = {"mode": "server", "documentation": documentation.SERVER}
    if security:
        rest["security"] = security
    rest["resource"] = [_resource(served, registry) for served in registry.types()]
    if registry.system:
        rest["interaction"] = [{"code": code} for code in sorted(registry.system)]
    operations = registry.operations_of("")
    if operations:
        rest["operation"] = [_operation(operation) for operation in operations]
    formats = ["application/json-patch+json", "application/merge-patch+json", JSON, XML]
    patch = {"patchFormat": formats} if _patches(registry) else {}
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "publisher": "fhir_gateway project",
        "kind": "instance",
        "software": {"name": "fhir_gateway", "version": __version__},
        "implementation": {
            "description": "Gateway for patient-initiated follow-up",
            "url": base_url,
        },
        "fhirVersion": FHIR_VERSION,
        "format": [JSON, XML, "json", "xml"],
        **patch,
        "rest": [rest],
    }


def _patches(registry: Registry) -> bool:
    return any(Interaction.PATCH in served.handlers for served in registry.types())


def _resource(served: Served, registry: Registry) -> Element:
    resource: Element = {"type": served.resource_type}
    if served.profile:
        resource["profile"] = served.profile
    if served.resource_type in documentation.RESOURCES:
        resource["documentation"] = documentation.RESOURCES[served.resource_type]
    if served.handlers:
        resource["interaction"] = [
            {"code": code} for code in Interaction if code in served.handlers
        ]
    resource.update(served.declared)
    if Interaction.READ in served.handlers:
        resource["conditionalRead"] = "full-support"
    if served.includes:
        resource["searchInclude"] = list(served.includes)
    if served.reverse_includes:
        resource["searchRevInclude"] = list(served.reverse_includes)
    if served.parameters:
        resource["searchParam"] = [_parameter(p) for p in served.parameters.values()]
    operations = registry.operations_of(served.resource_type)
    if operations:
        resource["operation"] = [_operation(operation) for operation in operations]
    return resource


def _parameter(parameter: Parameter) -> Element:
    declared: Element = {"name": parameter.name}
    if parameter.definition:
        declared["definition"] = parameter.definition
    declared["type"] = parameter.kind
    if parameter.documentation:
        declared["documentation"] = parameter.documentation
    return declared


def _operation(operation: Operation) -> Element:
    return {"name": operation.name, "definition": operation.definition}
