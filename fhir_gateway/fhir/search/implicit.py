"""Code systems of elements of type code, which name none: a search may name it all the same.

https://hl7.org/fhir/R4/search.html#token; the systems are those of the elements' required bindings.
"""

from __future__ import annotations

_HL7 = "http://hl7.org/fhir"
_MIME = "urn:ietf:bcp:13"
_PUBLICATION = f"{_HL7}/publication-status"
_REQUEST = f"{_HL7}/request-status"
_EVENT = f"{_HL7}/event-status"
_INTENT = f"{_HL7}/request-intent"

#: By name, where it is the same for every type; by type and name, where it is not.
SYSTEMS: dict[str, tuple[str, ...]] = {
    "priority": (f"{_HL7}/request-priority",),
    "gender": (f"{_HL7}/administrative-gender",),
    "Questionnaire.status": (_PUBLICATION,),
    "Questionnaire.subject-type": (f"{_HL7}/resource-types",),
    "ValueSet.status": (_PUBLICATION,),
    "CodeSystem.status": (_PUBLICATION,),
    "CodeSystem.content": (f"{_HL7}/codesystem-content-mode",),
    "StructureDefinition.status": (_PUBLICATION,),
    "StructureDefinition.kind": (f"{_HL7}/structure-definition-kind",),
    "QuestionnaireResponse.status": (f"{_HL7}/questionnaire-answers-status",),
    "ServiceRequest.status": (_REQUEST,),
    "ServiceRequest.intent": (_INTENT,),
    "Communication.status": (_EVENT,),
    "CommunicationRequest.status": (_REQUEST,),
    "Task.status": (f"{_HL7}/task-status",),
    "Task.intent": (_INTENT, f"{_HL7}/task-intent"),
    "Endpoint.status": (f"{_HL7}/endpoint-status",),
    "Subscription.status": (f"{_HL7}/subscription-status",),
    "Subscription.type": (f"{_HL7}/subscription-channel-type",),
    "Subscription.payload": (_MIME,),
    "DocumentReference.status": (f"{_HL7}/document-reference-status",),
    "DocumentReference.contenttype": (_MIME,),
}


def systems_of(resource_type: str, parameter: str) -> tuple[str, ...]:
    """The systems that a parameter's codes are of without saying so; none for other parameters."""
    return SYSTEMS.get(f"{resource_type}.{parameter}") or SYSTEMS.get(parameter, ())
