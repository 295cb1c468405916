"""Reading and searching the definitions: Questionnaire (assembled), ValueSet, CodeSystem, and the
extensions they use. They are public."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Request
from starlette.responses import Response

from fhir_gateway.fhir.types import Resource, as_str
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.rest.answers import answer, refusal

TYPES = ("CodeSystem", "Questionnaire", "StructureDefinition", "ValueSet")
#: Search parameter → element. All are plain equality on a string or code.
PARAMETERS = {"_id": "id", "url": "url", "version": "version", "name": "name", "status": "status"}
_NOT_SERVED = f"This resource type is not served here. There are {', '.join(TYPES)}."

router = APIRouter()


@router.get("/{resource_type}/{resource_id}", name="read")
def read(request: Request, resource_type: str, resource_id: str, _pretty: bool = False) -> Response:
    """Read one definition by its id; the newest version of it."""
    if resource_type not in TYPES:
        return refusal(404, "not-supported", _NOT_SERVED)
    found = [r for r in _all(request, resource_type) if r.get("id") == resource_id]
    if not found:
        return refusal(404, "not-found", f"There is no {resource_type} with this id.")
    return answer(found[-1], pretty=_pretty)


@router.get("/{resource_type}", name="search")
def search(request: Request, resource_type: str, _pretty: bool = False) -> Response:
    """Search definitions; unknown parameters are refused, so that nobody takes all for some."""
    if resource_type not in TYPES:
        return refusal(404, "not-supported", _NOT_SERVED)
    wanted = [
        (k, v) for k, v in request.query_params.multi_items() if k not in ("_pretty", "_format")
    ]
    unknown = [key for key, _ in wanted if key not in PARAMETERS]
    if unknown:
        # Control characters have no place in an OperationOutcome.
        named = ", ".join(key for key in unknown if key.isprintable())
        return refusal(400, "not-supported", f"Unknown search parameter: {named or 'unreadable'}.")
    found = [
        resource
        for resource in _all(request, resource_type)
        if all(as_str(resource.get(PARAMETERS[k])) in v.split(",") for k, v in wanted)
    ]
    base = as_str(request.app.state.base_url)
    bundle: Resource = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "link": [{"relation": "self", "url": f"{base}/{resource_type}?{request.url.query}"}],
    }
    if found:
        bundle["entry"] = [
            {
                "fullUrl": f"{base}/{resource_type}/{resource['id']}",
                "resource": resource,
                "search": {"mode": "match"},
            }
            for resource in found
        ]
    return answer(bundle, pretty=_pretty)


def _all(request: Request, resource_type: str) -> Iterator[Resource]:
    catalogue: Catalogue = request.app.state.catalogue
    if resource_type == "Questionnaire":
        return catalogue.questionnaires()
    return catalogue.registry.of_type(resource_type)
