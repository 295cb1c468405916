"""What a request is as FHIR resources of the gateway's own API. Pure: from the Bundle that its
mapping gives to resources with ids and references that hold here.

A request is one Task (what the team works on), its focus (ServiceRequest or Communication), its
QuestionnaireResponse, the Patient and RelatedPerson as submitted, Provenance, and a
DocumentReference with a Binary for each file. Ids come from the request's: the same each time.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fhir_gateway.fhir.bundle import references, walk
from fhir_gateway.fhir.identifiers import (
    BASE,
    ODS_ORGANISATION,
    REFERENCE,
    REQUEST_ID,
    identifier,
)
from fhir_gateway.fhir.narrative import renewed
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.provider.service import Service
from fhir_gateway.store.requests import Request, RequestState

#: Tag on the Task of a request: how far the gateway has got with it.
STATE_SYSTEM = f"{BASE}/CodeSystem/request-state"
_URN = "urn:uuid:"
#: What a Task says while nobody of the team has taken it up.
TASK_STATUS = {
    RequestState.ACCEPTED: "requested",
    RequestState.TRACED: "requested",
    RequestState.MAPPED: "requested",
    RequestState.DELIVERED: "received",
    RequestState.CONFIRMED: "received",
    RequestState.NEEDS_ATTENTION: "on-hold",
}
#: Elements of a Task that are the team's once somebody of it wrote the Task.
OF_THE_TEAM = (
    "status",
    "statusReason",
    "businessStatus",
    "owner",
    "note",
    "output",
    "executionPeriod",
    "restriction",
)
#: Where a reference to the service itself is allowed, beside the one to its organisation.
_PERFORMERS = {"ServiceRequest": "performer", "Communication": "recipient"}
_MAX_ID = 64


def service_ids(service: Service) -> dict[str, str]:
    """The ids, by type, of what a service is here."""
    slug = service.slug
    if len(slug) + len("-epr") > _MAX_ID:
        slug = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{BASE}/Id/service/{slug}"))
    return {
        "HealthcareService": slug,
        "Organization": service.ods_code,
        "Endpoint": f"{slug}-epr",
    }


def of_service(bundle: Resource, service: Service) -> list[Resource]:
    """HealthcareService, Organization and Endpoint of a service, as imported; never the headers
    that an Endpoint may ask for, which can be secrets."""
    ids = service_ids(service)
    names: dict[str, str] = {}
    found: list[Resource] = []
    for entry in map(as_dict, as_list(bundle.get("entry"))):
        resource = copy.deepcopy(as_dict(entry.get("resource")))
        name = as_str(resource.get("resourceType"))
        if name not in ids or any(other["resourceType"] == name for other in found):
            continue
        for given in (as_str(entry.get("fullUrl")), f"{name}/{as_str(resource.get('id'))}"):
            names[given] = f"{name}/{ids[name]}"
        resource.pop("header", None)
        found.append({**resource, "id": ids[name]})
    _rename(found, names)
    return found


def of_request(request: Request, bundle: Resource, service: Service) -> list[Resource]:
    """All resources of a request. `bundle`: as a mapping gave it."""
    names: dict[str, str] = {}
    found: list[Resource] = []
    for entry in map(as_dict, as_list(bundle.get("entry"))):
        resource = copy.deepcopy(as_dict(entry.get("resource")))
        if not resource or (request.identity is None and _is_trace(resource)):
            continue
        full_url = as_str(entry.get("fullUrl"))
        resource["id"] = (
            full_url.removeprefix(_URN)
            if full_url.startswith(_URN)
            else _id(request, f"{resource['resourceType']}-{len(found)}")
        )
        names[full_url] = f"{resource['resourceType']}/{resource['id']}"
        found.append(resource)
    _rename(found, names)
    for resource in found:
        _point_at(resource, service)
    found += _files(request, found)
    for resource in found:
        if resource["resourceType"] == "Task":
            _set_task(resource, request)
    return [renewed(resource) for resource in found]


def merged_task(shown: Resource, stored: Resource) -> Resource:
    """A Task as it is shown anew, with what the team wrote into the stored one."""
    rest = {key: value for key, value in shown.items() if key not in OF_THE_TEAM}
    return renewed({**rest, **{key: stored[key] for key in OF_THE_TEAM if key in stored}})


def minimal(request: Request, service: Service) -> Resource:
    """The Bundle of a request that no mapping can show: its answers, and a Task to be worked on."""
    response_id, task_id = _id(request, "responseId"), _id(request, "taskId")
    business = [identifier(REQUEST_ID, request.id), identifier(REFERENCE, request.reference)]
    accepted = request.accepted_at.isoformat(timespec="seconds")
    task = {
        "resourceType": "Task",
        "identifier": business,
        "status": "requested",
        "intent": "order",
        "focus": {"reference": f"{_URN}{response_id}"},
        "authoredOn": accepted,
        "owner": {
            "type": "Organization",
            "identifier": identifier(ODS_ORGANISATION, service.ods_code),
            "display": service.organisation_name,
        },
    }
    pairs = ((response_id, dict(request.response)), (task_id, task))
    entries = [{"fullUrl": f"{_URN}{name}", "resource": resource} for name, resource in pairs]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _id(request: Request, name: str) -> str:
    return str(uuid.uuid5(uuid.UUID(request.id), name))


def _is_trace(resource: Resource) -> bool:
    """Whether it tells of a trace (before there was one, it would tell of nothing)."""
    coding = as_dict((as_list(as_dict(resource.get("activity")).get("coding")) or [{}])[0])
    return resource.get("resourceType") == "Provenance" and bool(coding.get("code"))


def _rename(found: Iterable[Resource], names: Mapping[str, str]) -> None:
    for resource in found:
        for element in references(resource):
            element["reference"] = names.get(element["reference"], element["reference"])


def _point_at(resource: Resource, service: Service) -> None:
    """Lets references to the organisation by its ODS code lead to it here, and adds the service."""
    ids = service_ids(service)
    for element in walk(resource):
        named = as_dict(element.get("identifier"))
        ours = (named.get("system"), named.get("value")) == (ODS_ORGANISATION, service.ods_code)
        if ours and element.get("type") == "Organization" and "reference" not in element:
            element["reference"] = f"Organization/{ids['Organization']}"
    name = _PERFORMERS.get(resource["resourceType"])
    if name:
        reference = {
            "reference": f"HealthcareService/{ids['HealthcareService']}",
            "display": service.name,
        }
        resource[name] = [*as_list(resource.get(name)), reference]


def _set_task(task: Resource, request: Request) -> None:
    task["status"] = TASK_STATUS[request.state]
    task["lastModified"] = request.updated_at.isoformat(timespec="seconds")
    if request.state is RequestState.NEEDS_ATTENTION:
        task["statusReason"] = {"text": "The gateway could not deliver it: its operators look."}
    meta = as_dict(task.get("meta"))
    tags = [*as_list(meta.get("tag")), {"system": STATE_SYSTEM, "code": str(request.state)}]
    task["meta"] = {**meta, "tag": tags}


def _files(request: Request, found: Iterable[Resource]) -> Iterator[Resource]:
    """A DocumentReference and its Binary for each file among the answers."""
    by_type = {resource["resourceType"]: resource for resource in found}
    response = by_type.get("QuestionnaireResponse", {})
    attachments = [
        as_dict(element["valueAttachment"])
        for element in walk(response.get("item"))
        if as_str(as_dict(element.get("valueAttachment")).get("data"))
    ]
    for index, attachment in enumerate(attachments):
        binary_id = _id(request, f"file-{index}")
        kind = as_str(attachment.get("contentType")) or "application/octet-stream"
        yield {
            "resourceType": "Binary",
            "id": binary_id,
            "contentType": kind,
            "securityContext": {"reference": f"QuestionnaireResponse/{response['id']}"},
            "data": attachment["data"],
        }
        yield _document(request, index, attachment, by_type, binary_id)


def _document(
    request: Request,
    index: int,
    attachment: Element,
    by_type: Mapping[str, Resource],
    binary_id: str,
) -> Resource:
    content = {k: v for k, v in attachment.items() if k != "data"}
    document: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "id": _id(request, f"document-{index}"),
        "identifier": [identifier(REQUEST_ID, request.id)],
        "status": "current",
        "type": {"text": "File sent by the patient"},
    }
    patient = by_type.get("Patient")
    if patient:
        document["subject"] = {"reference": f"Patient/{patient['id']}"}
    document["date"] = request.accepted_at.isoformat(timespec="seconds")
    document["content"] = [{"attachment": {**content, "url": f"Binary/{binary_id}"}}]
    response = by_type["QuestionnaireResponse"]
    document["context"] = {"related": [{"reference": f"QuestionnaireResponse/{response['id']}"}]}
    return document
