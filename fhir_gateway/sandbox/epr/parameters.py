"""Which resource types this server keeps, and by which R4 search parameters each is found.

Names and meanings as in the parameter registry of R4
(https://hl7.org/fhir/R4/searchparameter-registry.html); paths are element names joined by dots.
The CapabilityStatement is made from this table, and so is the index.
"""

from __future__ import annotations

from fhir_gateway.fhir.search.parameter import (
    Kind,
    Parameter,
    date,
    patient,
    reference,
    string,
    token,
)

_IDENTIFIER = token("identifier")
_STATUS = token("status")
_SUBJECT = (reference("subject"), patient("subject"))
_BASED_ON = reference("based-on", "basedOn")
_PART_OF = reference("part-of", "partOf")
_PERSON = (
    _IDENTIFIER,
    token("active"),
    string("name"),
    string("family", "name.family"),
    string("given", "name.given"),
)

COMMON = (token("_id", "id"), date("_lastUpdated", "meta.lastUpdated"))

_OWN: dict[str, tuple[Parameter, ...]] = {
    "Patient": (
        *_PERSON,
        date("birthdate", "birthDate"),
        token("gender"),
        string("address-postalcode", "address.postalCode"),
    ),
    "RelatedPerson": (_IDENTIFIER, token("active"), string("name"), patient("patient")),
    "ServiceRequest": (
        _IDENTIFIER,
        _STATUS,
        *_SUBJECT,
        _BASED_ON,
        token("intent"),
        token("code"),
        token("category"),
        token("priority"),
        reference("requester"),
        reference("performer"),
        date("authored", "authoredOn"),
    ),
    "Communication": (
        _IDENTIFIER,
        _STATUS,
        *_SUBJECT,
        _BASED_ON,
        _PART_OF,
        token("category"),
        reference("recipient"),
        reference("sender"),
        date("sent"),
        date("received"),
    ),
    "Task": (
        _IDENTIFIER,
        _STATUS,
        # R4 calls both of these after the element's meaning; there is no parameter `for`.
        reference("subject", "for"),
        patient("for"),
        _BASED_ON,
        _PART_OF,
        reference("focus"),
        reference("owner"),
        reference("requester"),
        token("business-status", "businessStatus"),
        token("code"),
        token("intent"),
        token("priority"),
        date("authored-on", "authoredOn"),
        date("modified", "lastModified"),
    ),
    "QuestionnaireResponse": (
        _IDENTIFIER,
        _STATUS,
        *_SUBJECT,
        _BASED_ON,
        _PART_OF,
        Parameter("questionnaire", Kind.CANONICAL, ("questionnaire",)),
        reference("author"),
        reference("source"),
        date("authored"),
    ),
    "Provenance": (
        reference("target"),
        patient("target"),
        reference("agent", "agent.who"),
        reference("entity", "entity.what"),
        date("recorded"),
    ),
    "Organization": (
        _IDENTIFIER,
        token("active"),
        string("name"),
        reference("partof", "partOf"),
    ),
    "HealthcareService": (
        _IDENTIFIER,
        token("active"),
        string("name"),
        reference("organization", "providedBy"),
    ),
    "DocumentReference": (
        Parameter("identifier", Kind.TOKEN, ("masterIdentifier", "identifier")),
        _STATUS,
        *_SUBJECT,
        token("type"),
        token("category"),
        reference("author"),
        date("date"),
    ),
    "Practitioner": _PERSON,
    "PractitionerRole": (
        _IDENTIFIER,
        token("active"),
        reference("practitioner"),
        reference("organization"),
        reference("service", "healthcareService"),
    ),
    "Device": (
        _IDENTIFIER,
        _STATUS,
        token("type"),
        patient("patient"),
        reference("organization", "owner"),
    ),
    "Binary": (),
}

#: Every resource type of this server, with all its search parameters by name.
TYPES: dict[str, dict[str, Parameter]] = {
    resource_type: {parameter.name: parameter for parameter in (*COMMON, *own)}
    for resource_type, own in _OWN.items()
}
