"""How a write is answered: status, Location, ETag, and what Prefer asks for.

https://hl7.org/fhir/R4/http.html#create and #ops
"""

from __future__ import annotations

from fhir_gateway.fhir.outcome import issue, outcome
from fhir_gateway.fhir.types import Resource, as_dict, as_str
from fhir_gateway.rest.conditions import preferences, version_headers
from fhir_gateway.rest.registry import Answer, Call

CREATED, OK = 201, 200


def answer(call: Call, resource: Resource, *, status: int = OK) -> Answer:
    """The answer with a resource that was written, or was there already (200)."""
    headers = version_headers(resource)
    name, resource_id = resource["resourceType"], as_str(resource.get("id"))
    place = f"{call.base_url}/{name}/{resource_id}"
    version = as_str(as_dict(resource.get("meta")).get("versionId"))
    headers["Location"] = f"{place}/_history/{version}" if version else place
    match preferences(call.request).returns:
        case "minimal":
            return Answer(None, status, headers)
        case "OperationOutcome":
            text = "It was created." if status == CREATED else "It is there."
            return Answer(outcome([issue("information", "informational", text)]), status, headers)
    return Answer(resource, status, headers)
