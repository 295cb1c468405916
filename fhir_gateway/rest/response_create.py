"""Creating a QuestionnaireResponse: a request by another way than the pages, with the same end.

It is held against its Questionnaire, accepted in one transaction with its delivery, and answered
with the reference that the patient is told.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fhir_gateway.delivery.accept import accept_response
from fhir_gateway.delivery.showing import show_request
from fhir_gateway.errors import Refused
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.identifiers import BASE, REFERENCE, identifier
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str, extension_value
from fhir_gateway.provider.service import SERVICE_ID, Service
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.validation import issues
from fhir_gateway.rest import existing, written
from fhir_gateway.rest.conditions import if_none_exist
from fhir_gateway.rest.desk import (
    Desk,
    Pending,
    checked,
    reading,
    refuse_errors,
    served_services,
    told,
    unprocessable,
)
from fhir_gateway.rest.problem import CONFLICT, Problem
from fhir_gateway.rest.registry import Answer, Call
from fhir_gateway.store import requests, resources
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.requests import Request

#: On a QuestionnaireResponse: the HealthcareService that it is for.
SERVICE = f"{BASE}/StructureDefinition/response-service"
#: On the answer: what the patient is told.
REFERENCE_GIVEN = f"{BASE}/StructureDefinition/response-reference"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, f"{BASE}/QuestionnaireResponse")
_TYPE = "QuestionnaireResponse"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A response that may be accepted. `digest`: tells whether a repeat is the same."""

    response: Resource
    service: Service
    definition: Definition
    request_id: str
    evidence: dict[str, Any]


def prepare(desk: Desk, call: Call) -> Pending:
    """Check a response. Raises Problem."""
    response = checked(call, _TYPE)
    definition = _definition(desk, response)
    with reading(desk) as tx:
        service = _service(list(served_services(tx, call.access)), response, definition)
    told(call, service)
    _check_answers(desk, definition, response)
    asked = _Asked(
        response=_as_accepted(desk, response),
        service=service,
        definition=definition,
        request_id=_request_id(service, _identifier(response)) or str(uuid.uuid4()),
        evidence=_evidence(desk, call, response),
    )
    return Pending(lambda tx: _apply(desk, call, asked, tx))


def _apply(desk: Desk, call: Call, asked: _Asked, tx: Transaction) -> Callable[[], Answer]:
    there = _there(desk, call, asked, tx)
    if there is not None:
        return lambda: written.answer(call, there)
    reference = accept_response(
        tx,
        desk.engine,
        request_id=asked.request_id,
        draft_id=None,
        service_slug=asked.service.slug,
        questionnaire=asked.definition.canonical,
        response=asked.response,
        evidence=asked.evidence,
        now=desk.parts.clock(),
    )
    desk.keep(tx, call, written.CREATED, {"resourceType": _TYPE, "id": asked.request_id})
    return lambda: _created(desk, call, asked.request_id, reference)


def _there(desk: Desk, call: Call, asked: _Asked, tx: Transaction) -> Resource | None:
    """The response that was accepted for this one before, by its identifier or by If-None-Exist.
    Raises Problem (409) when its identifier is on another."""
    criteria = if_none_exist(call.request)
    wanted = criteria[0][1] if criteria and [n for n, _ in criteria] == ["identifier"] else ""
    if wanted:
        system, bar, value = wanted.partition("|")
        named = {"system": system, "value": value} if bar else {"value": system}
        found = requests.find(tx, _request_id(asked.service, named) or "")
        if found is not None:
            return _as_shown(tx, found)
    if criteria:
        match = existing.matching(tx, call, criteria, now=desk.parts.clock())
        if match is not None:
            return match
    before = requests.find(tx, asked.request_id)
    if before is None:
        return None
    if not wanted and before.evidence.get("digest") != asked.evidence["digest"]:
        raise Problem(
            CONFLICT,
            "duplicate",
            "The identifier is on another response that was accepted before.",
            expression=[f"{_TYPE}.identifier"],
        )
    return _as_shown(tx, before)


def _as_shown(tx: Transaction, request: Request) -> Resource:
    shown = _stored(tx, request.id)
    return _with_reference(shown or {**request.response, "id": request.id}, request.reference)


def _created(desk: Desk, call: Call, request_id: str, reference: str) -> Answer:
    """The answer, once it is committed: the response as it can be read from now on."""
    show_request(desk.parts, request_id)
    with reading(desk) as tx:
        shown = _stored(tx, request_id)
        request = requests.find(tx, request_id)
    if shown is None and request is not None:
        shown = {**request.response, "id": request.id}
    resource = _with_reference(shown or {"resourceType": _TYPE}, reference)
    return written.answer(call, resource, status=written.CREATED)


def _stored(tx: Transaction, request_id: str) -> Resource | None:
    found = resources.of_request(tx, _TYPE, request_id)
    return found.resource if found else None


def _with_reference(resource: Resource, reference: str) -> Resource:
    given = {"url": REFERENCE_GIVEN, "valueIdentifier": identifier(REFERENCE, reference)}
    return {**resource, "extension": [*as_list(resource.get("extension")), given]}


def _definition(desk: Desk, response: Resource) -> Definition:
    place = f"{_TYPE}.questionnaire"
    canonical = as_str(response.get("questionnaire"))
    if not canonical:
        raise unprocessable("required", "It does not say which Questionnaire it answers.", place)
    try:
        return desk.parts.catalogue.definition(canonical)
    except Refused:
        raise unprocessable(
            "not-found", "Its Questionnaire is not published here.", place
        ) from None


def _service(known: list[Service], response: Resource, definition: Definition) -> Service:
    """The service that a response is for: named in its extension, or the only one of the client
    that takes this Questionnaire. Another provider's is as unknown as none at all."""
    place = f"{_TYPE}.extension('{SERVICE}')"
    named = _slug(as_dict(extension_value(response, SERVICE)))
    fitting = [s for s in known if s.mapping_for(definition.canonical)]
    if named:
        found = [s for s in known if s.slug == named]
        if not found:
            raise unprocessable("not-found", "There is no such service.", place)
        if found[0] not in fitting:
            text = "The service does not take this Questionnaire."
            raise unprocessable("business-rule", text, f"{_TYPE}.questionnaire")
        return found[0]
    if len(fitting) != 1:
        text = (
            f"For which service? {len(fitting)} of this client's take this Questionnaire: name one "
            f"in the extension {SERVICE} as a Reference to a HealthcareService."
        )
        raise unprocessable("required", text, place)
    return fitting[0]


def _slug(reference: Element) -> str:
    named = as_dict(reference.get("identifier"))
    if named.get("system") == SERVICE_ID:
        return as_str(named.get("value"))
    return as_str(reference.get("reference")).rpartition("HealthcareService/")[2]


def _check_answers(desk: Desk, definition: Definition, response: Resource) -> None:
    if response.get("status") != "completed":
        text = "Only a completed response is taken: answers in progress stay with whoever asks."
        raise unprocessable("business-rule", text, f"{_TYPE}.status")
    found = issues(definition, response, now=desk.parts.clock(), everything_asked=False)
    refuse_errors([one.as_outcome_issue() for one in found])


def _as_accepted(desk: Desk, response: Resource) -> Resource:
    kept = {k: v for k, v in response.items() if k not in ("id", "meta")}
    if "authored" not in kept:
        kept["authored"] = desk.parts.clock().isoformat(timespec="seconds")
    return kept


def _evidence(desk: Desk, call: Call, response: Resource) -> dict[str, Any]:
    """Nothing was verified by the gateway; who sent it, and under which name."""
    content = {k: v for k, v in response.items() if k not in ("id", "meta", "text")}
    sealer = desk.parts.database.sealer
    found: dict[str, Any] = {
        "verified": {},
        "bound_to": None,
        "client": call.access.client_id,
        "digest": sealer.mac("response", fhir_json.dump(_sorted(content)).decode()),
    }
    if _identifier(response):
        found["identifier"] = _identifier(response)
    return found


def _sorted(value: Any) -> Any:
    """With the names of objects in order: in which order a client writes them says nothing."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(inner) for inner in value] if isinstance(value, list) else value


def _identifier(response: Resource) -> Element:
    return as_dict(response.get("identifier"))


def _request_id(service: Service, named: Element) -> str | None:
    """The id of a request, the same for each time that a provider's clients send an identifier."""
    value = as_str(named.get("value"))
    if not value:
        return None
    return str(uuid.uuid5(_NAMESPACE, f"{service.ods_code}|{as_str(named.get('system'))}|{value}"))
