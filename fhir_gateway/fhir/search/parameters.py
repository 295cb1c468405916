"""By which R4 search parameters each resource type is found.

Names and meanings as in https://hl7.org/fhir/R4/searchparameter-registry.html; paths are element
names joined by dots. The index, the CapabilityStatement, the OpenAPI description and the table in
docs/rest.md are made from this. Values of `personal` parameters tell who somebody is: they are kept
as keyed hashes only (docs/decisions/0030-what-is-searchable-in-the-clear.md).
"""

from __future__ import annotations

from dataclasses import replace

from fhir_gateway.fhir.search.implicit import systems_of
from fhir_gateway.fhir.search.parameter import (
    Kind,
    Parameter,
    date,
    patient,
    reference,
    string,
    token,
    uri,
)


def _personal(*parameters: Parameter) -> tuple[Parameter, ...]:
    return tuple(replace(parameter, personal=True) for parameter in parameters)


_IDENTIFIER = token("identifier")
_STATUS = token("status")
_SUBJECT = (reference("subject"), patient("subject"))
_BASED_ON = reference("based-on", "basedOn")
_PART_OF = reference("part-of", "partOf")
_DEFINITION = (
    _IDENTIFIER,
    _STATUS,
    uri("url"),
    token("version"),
    string("name"),
    string("title"),
    string("description"),
    string("publisher"),
    date("date"),
    token("jurisdiction"),
)
_PERSON = _personal(
    _IDENTIFIER,
    Parameter("name", Kind.STRING, ("name.text",), others=("family", "given")),
    string("family", "name.family"),
    string("given", "name.given"),
    token("telecom"),
    Parameter("phone", Kind.TOKEN, ("telecom",), system="phone"),
    Parameter("email", Kind.TOKEN, ("telecom",), system="email"),
    date("birthdate", "birthDate"),
    token("gender"),
    string("address-postalcode", "address.postalCode"),
)
_ACTIVE = token("active")

#: Of every type.
COMMON = (
    token("_id", "id"),
    date("_lastUpdated", "meta.lastUpdated"),
    token("_tag", "meta.tag"),
    uri("_profile", "meta.profile"),
)

_REQUEST = (
    _IDENTIFIER,
    _STATUS,
    *_SUBJECT,
    _BASED_ON,
    token("category"),
    token("priority"),
    reference("requester"),
)

_OWN: dict[str, tuple[Parameter, ...]] = {
    "Questionnaire": (
        *_DEFINITION,
        token("code", "item.code"),
        token("subject-type", "subjectType"),
    ),
    "ValueSet": _DEFINITION,
    "CodeSystem": (*_DEFINITION, token("content")),
    "StructureDefinition": (*_DEFINITION, uri("type"), token("kind")),
    "QuestionnaireResponse": (
        _IDENTIFIER,
        _STATUS,
        *_SUBJECT,
        _BASED_ON,
        _PART_OF,
        Parameter("questionnaire", Kind.CANONICAL, ("questionnaire",), ("Questionnaire",)),
        reference("author"),
        reference("source"),
        reference("encounter"),
        date("authored"),
    ),
    "ServiceRequest": (
        *_REQUEST,
        token("intent"),
        token("code"),
        reference("performer"),
        reference("encounter"),
        date("authored", "authoredOn"),
    ),
    "Communication": (
        _IDENTIFIER,
        _STATUS,
        *_SUBJECT,
        _BASED_ON,
        _PART_OF,
        token("category"),
        token("medium"),
        reference("recipient"),
        reference("sender"),
        reference("encounter"),
        date("sent"),
        date("received"),
    ),
    "CommunicationRequest": (
        *_REQUEST,
        token("medium"),
        reference("recipient"),
        reference("sender"),
        date("authored", "authoredOn"),
        date("occurrence", "occurrenceDateTime"),
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
        token("performer", "performerType"),
        date("authored-on", "authoredOn"),
        date("modified", "lastModified"),
        date("period", "executionPeriod"),
    ),
    "Patient": (*_PERSON, _ACTIVE, reference("organization", "managingOrganization")),
    "RelatedPerson": (*_PERSON, _ACTIVE, patient("patient"), token("relationship")),
    "Provenance": (
        reference("target"),
        patient("target"),
        reference("agent", "agent.who"),
        reference("entity", "entity.what"),
        date("recorded"),
        token("agent-type", "agent.type"),
    ),
    "AuditEvent": (
        token("action"),
        token("type"),
        token("subtype"),
        token("outcome"),
        date("date", "recorded"),
        reference("agent", "agent.who"),
        reference("entity", "entity.what"),
        Parameter("patient", Kind.REFERENCE, ("agent.who", "entity.what"), targets=("Patient",)),
    ),
    "HealthcareService": (
        _IDENTIFIER,
        _ACTIVE,
        string("name"),
        reference("organization", "providedBy"),
        reference("endpoint"),
        token("service-category", "category"),
        token("service-type", "type"),
        token("specialty"),
    ),
    "Organization": (
        _IDENTIFIER,
        _ACTIVE,
        string("name", "name", "alias"),
        reference("partof", "partOf"),
        reference("endpoint"),
        token("type"),
    ),
    "Endpoint": (
        _IDENTIFIER,
        _STATUS,
        string("name"),
        reference("organization", "managingOrganization"),
        token("connection-type", "connectionType"),
        token("payload-type", "payloadType"),
    ),
    "Subscription": (
        _STATUS,
        token("type", "channel.type"),
        token("payload", "channel.payload"),
        uri("url", "channel.endpoint"),
        string("criteria"),
    ),
    "DocumentReference": (
        Parameter("identifier", Kind.TOKEN, ("masterIdentifier", "identifier")),
        _STATUS,
        *_SUBJECT,
        token("type"),
        token("category"),
        token("contenttype", "content.attachment.contentType"),
        reference("author"),
        reference("related", "context.related"),
        date("date"),
    ),
    "Binary": (),
}

#: Every resource type that is kept, with all its search parameters by name.
TYPES: dict[str, dict[str, Parameter]] = {
    resource_type: {
        p.name: replace(p, implicit=systems_of(resource_type, p.name)) for p in (*COMMON, *own)
    }
    for resource_type, own in _OWN.items()
}
#: Types that are kept apart: nothing leads to them, by an include or a chain.
APART = frozenset({"AuditEvent"})


def includes(source: str) -> list[str]:
    """What `_include` takes from this type: `Task:focus`."""
    kinds = (Kind.REFERENCE, Kind.CANONICAL)
    return [f"{source}:{p.name}" for p in TYPES[source].values() if p.kind in kinds]


def reverse_includes(target: str) -> list[str]:
    """What `_revinclude` takes for this type; a reference without targets may lead anywhere."""
    return sorted(
        f"{source}:{p.name}"
        for source, parameters in TYPES.items()
        if source not in APART
        for p in parameters.values()
        if p.kind in (Kind.REFERENCE, Kind.CANONICAL) and (not p.targets or target in p.targets)
    )
