"""FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html): a template that changes a resource.

Not in SDC 4.0; Smart Forms extracts it from a Parameters template and an address of its own.
"""

from __future__ import annotations

from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str

#: Operations that say nothing without a value.
_WITH_VALUE = frozenset({"add", "insert", "replace"})


def is_patch(resource: Resource) -> bool:
    """Whether a resource is Parameters of patch operations and nothing else."""
    if resource.get("resourceType") != "Parameters":
        return False
    parameters = [as_dict(p) for p in as_list(resource.get("parameter"))]
    return bool(parameters) and all(
        p.get("name") == "operation" and {"type", "path"} <= _parts(p).keys() for p in parameters
    )


def with_values(resource: Resource) -> Resource | None:
    """The patch without operations whose value was not answered; None when none is left."""
    kept = [p for p in map(as_dict, as_list(resource.get("parameter"))) if _says_something(p)]
    return {**resource, "parameter": kept} if kept else None


def _says_something(operation: Element) -> bool:
    parts = _parts(operation)
    if as_str(parts["type"].get("valueCode")) not in _WITH_VALUE:
        return True
    value = parts.get("value", {})
    return any(key.startswith("value") or key == "part" for key in value)


def _parts(operation: Element) -> dict[str, Element]:
    return {as_str(p.get("name")): p for p in map(as_dict, as_list(operation.get("part")))}
