"""Reading and searching the definitions: Questionnaire (assembled), ValueSet, CodeSystem, and the
extensions they use. They are public."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_gateway.fhir.types import Resource, as_str
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.rest.problem import Problem, not_found
from fhir_gateway.rest.registry import Answer, Call, Interaction, Parameter, Registry

TYPES = ("CodeSystem", "Questionnaire", "StructureDefinition", "ValueSet")
#: Search parameter → element. All are plain equality on a string or code.
PARAMETERS = {"_id": "id", "url": "url", "version": "version", "name": "name", "status": "status"}
_KINDS = {"_id": "token", "url": "uri", "version": "token", "name": "string", "status": "token"}
_GENERAL = ("_pretty", "_format", "_summary", "_elements")


def register(registry: Registry, catalogue: Catalogue) -> None:
    """Serve the definitions of a catalogue."""

    def read(call: Call) -> Answer:
        found = [r for r in _all(catalogue, call.resource_type) if r.get("id") == call.id]
        if not found:
            raise not_found(call.resource_type)
        return Answer(found[-1])

    def search(call: Call) -> Answer:
        return _search(catalogue, call)

    for name in TYPES:
        handlers = {Interaction.READ: read, Interaction.SEARCH: search}
        served = registry.offer(name, handlers, public=True)
        served.parameters.update({p: Parameter(p, _KINDS[p]) for p in PARAMETERS})


def _search(catalogue: Catalogue, call: Call) -> Answer:
    wanted = [(k, v) for k, v in call.parameters if k not in _GENERAL]
    unknown = [key for key, _ in wanted if key not in PARAMETERS]
    if unknown:
        # Control characters have no place in an OperationOutcome.
        named = ", ".join(key for key in unknown if key.isprintable())
        raise Problem(400, "not-supported", f"Unknown search parameter: {named or 'unreadable'}.")
    found = [
        resource
        for resource in _all(catalogue, call.resource_type)
        if all(as_str(resource.get(PARAMETERS[k])) in v.split(",") for k, v in wanted)
    ]
    here = f"{call.base_url}/{call.resource_type}"
    bundle: Resource = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "link": [{"relation": "self", "url": f"{here}?{call.request.url.query}"}],
    }
    if found:
        bundle["entry"] = [
            {
                "fullUrl": f"{here}/{resource['id']}",
                "resource": resource,
                "search": {"mode": "match"},
            }
            for resource in found
        ]
    return Answer(bundle)


def _all(catalogue: Catalogue, resource_type: str) -> Iterator[Resource]:
    if resource_type == "Questionnaire":
        return catalogue.questionnaires()
    return catalogue.registry.of_type(resource_type)
