"""By which R4 search parameters each resource type is found.

Names and meanings as in https://hl7.org/fhir/R4/searchparameter-registry.html; paths are element
names joined by dots. The index, the CapabilityStatement, the OpenAPI description and the table in
docs/rest.md are made from this. Values of `personal` parameters tell who somebody is: they are kept
as keyed hashes only (docs/decisions/0030-what-is-searchable-in-the-clear.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Kind(StrEnum):
    """How values are indexed and compared. CANONICAL is what R4 declares as a reference too."""

    TOKEN = "token"  # noqa: S105 - a kind of search parameter
    STRING = "string"
    DATE = "date"
    REFERENCE = "reference"
    CANONICAL = "canonical"
    URI = "uri"

    @property
    def declared(self) -> str:
        """The code of search-param-type that stands for it in a CapabilityStatement."""
        return "reference" if self is Kind.CANONICAL else self.value


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter. `targets`: only references to these types count; empty means all.
    `system`: only a ContactPoint of this system counts. `others`: further parameters whose values
    count too, so that they are not kept twice."""

    name: str
    kind: Kind
    paths: tuple[str, ...]
    targets: tuple[str, ...] = ()
    personal: bool = False
    system: str = ""
    others: tuple[str, ...] = ()


def _token(name: str, *paths: str) -> Parameter:
    return Parameter(name, Kind.TOKEN, paths or (name,))


def _string(name: str, *paths: str) -> Parameter:
    return Parameter(name, Kind.STRING, paths or (name,))


def _date(name: str, *paths: str) -> Parameter:
    return Parameter(name, Kind.DATE, paths or (name,))


def _uri(name: str, *paths: str) -> Parameter:
    return Parameter(name, Kind.URI, paths or (name,))


def _reference(name: str, *paths: str, targets: tuple[str, ...] = ()) -> Parameter:
    return Parameter(name, Kind.REFERENCE, paths or (name,), targets)


def _patient(*paths: str) -> Parameter:
    return _reference("patient", *paths, targets=("Patient",))


def _personal(*parameters: Parameter) -> tuple[Parameter, ...]:
    return tuple(replace(parameter, personal=True) for parameter in parameters)


_IDENTIFIER = _token("identifier")
_STATUS = _token("status")
_SUBJECT = (_reference("subject"), _patient("subject"))
_BASED_ON = _reference("based-on", "basedOn")
_PART_OF = _reference("part-of", "partOf")
_DEFINITION = (
    _IDENTIFIER,
    _STATUS,
    _uri("url"),
    _token("version"),
    _string("name"),
    _string("title"),
    _string("description"),
    _string("publisher"),
    _date("date"),
    _token("jurisdiction"),
)
_PERSON = _personal(
    _IDENTIFIER,
    Parameter("name", Kind.STRING, ("name.text",), others=("family", "given")),
    _string("family", "name.family"),
    _string("given", "name.given"),
    _token("telecom"),
    Parameter("phone", Kind.TOKEN, ("telecom",), system="phone"),
    Parameter("email", Kind.TOKEN, ("telecom",), system="email"),
    _date("birthdate", "birthDate"),
    _token("gender"),
    _string("address-postalcode", "address.postalCode"),
)
_ACTIVE = _token("active")

#: Of every type.
COMMON = (
    _token("_id", "id"),
    _date("_lastUpdated", "meta.lastUpdated"),
    _token("_tag", "meta.tag"),
    _uri("_profile", "meta.profile"),
)

_REQUEST = (
    _IDENTIFIER,
    _STATUS,
    *_SUBJECT,
    _BASED_ON,
    _token("category"),
    _token("priority"),
    _reference("requester"),
)

_OWN: dict[str, tuple[Parameter, ...]] = {
    "Questionnaire": (
        *_DEFINITION,
        _token("code", "item.code"),
        _token("subject-type", "subjectType"),
    ),
    "ValueSet": _DEFINITION,
    "CodeSystem": (*_DEFINITION, _token("content")),
    "StructureDefinition": (*_DEFINITION, _uri("type"), _token("kind")),
    "QuestionnaireResponse": (
        _IDENTIFIER,
        _STATUS,
        *_SUBJECT,
        _BASED_ON,
        _PART_OF,
        Parameter("questionnaire", Kind.CANONICAL, ("questionnaire",), ("Questionnaire",)),
        _reference("author"),
        _reference("source"),
        _reference("encounter"),
        _date("authored"),
    ),
    "ServiceRequest": (
        *_REQUEST,
        _token("intent"),
        _token("code"),
        _reference("performer"),
        _reference("encounter"),
        _date("authored", "authoredOn"),
    ),
    "Communication": (
        _IDENTIFIER,
        _STATUS,
        *_SUBJECT,
        _BASED_ON,
        _PART_OF,
        _token("category"),
        _token("medium"),
        _reference("recipient"),
        _reference("sender"),
        _reference("encounter"),
        _date("sent"),
        _date("received"),
    ),
    "CommunicationRequest": (
        *_REQUEST,
        _token("medium"),
        _reference("recipient"),
        _reference("sender"),
        _date("authored", "authoredOn"),
        _date("occurrence", "occurrenceDateTime"),
    ),
    "Task": (
        _IDENTIFIER,
        _STATUS,
        # R4 calls both of these after the element's meaning; there is no parameter `for`.
        _reference("subject", "for"),
        _patient("for"),
        _BASED_ON,
        _PART_OF,
        _reference("focus"),
        _reference("owner"),
        _reference("requester"),
        _token("business-status", "businessStatus"),
        _token("code"),
        _token("intent"),
        _token("priority"),
        _token("performer", "performerType"),
        _date("authored-on", "authoredOn"),
        _date("modified", "lastModified"),
        _date("period", "executionPeriod"),
    ),
    "Patient": (*_PERSON, _ACTIVE, _reference("organization", "managingOrganization")),
    "RelatedPerson": (*_PERSON, _ACTIVE, _patient("patient"), _token("relationship")),
    "Provenance": (
        _reference("target"),
        _patient("target"),
        _reference("agent", "agent.who"),
        _reference("entity", "entity.what"),
        _date("recorded"),
        _token("agent-type", "agent.type"),
    ),
    "AuditEvent": (
        _token("action"),
        _token("type"),
        _token("subtype"),
        _token("outcome"),
        _date("date", "recorded"),
        _reference("agent", "agent.who"),
        _string("agent-name", "agent.name"),
        _token("altid", "agent.altId"),
        _reference("entity", "entity.what"),
        Parameter("patient", Kind.REFERENCE, ("agent.who", "entity.what"), targets=("Patient",)),
        _token("entity-type", "entity.type"),
        _reference("source", "source.observer"),
    ),
    "HealthcareService": (
        _IDENTIFIER,
        _ACTIVE,
        _string("name"),
        _reference("organization", "providedBy"),
        _reference("endpoint"),
        _token("service-category", "category"),
        _token("service-type", "type"),
        _token("specialty"),
    ),
    "Organization": (
        _IDENTIFIER,
        _ACTIVE,
        _string("name", "name", "alias"),
        _reference("partof", "partOf"),
        _reference("endpoint"),
        _token("type"),
    ),
    "Endpoint": (
        _IDENTIFIER,
        _STATUS,
        _string("name"),
        _reference("organization", "managingOrganization"),
        _token("connection-type", "connectionType"),
        _token("payload-type", "payloadType"),
    ),
    "Subscription": (
        _STATUS,
        _token("type", "channel.type"),
        _token("payload", "channel.payload"),
        _uri("url", "channel.endpoint"),
        _string("criteria"),
    ),
    "DocumentReference": (
        Parameter("identifier", Kind.TOKEN, ("masterIdentifier", "identifier")),
        _STATUS,
        *_SUBJECT,
        _token("type"),
        _token("category"),
        _token("contenttype", "content.attachment.contentType"),
        _reference("author"),
        _reference("related", "context.related"),
        _date("date"),
    ),
    "Binary": (),
}

#: Every resource type that is kept, with all its search parameters by name.
TYPES: dict[str, dict[str, Parameter]] = {
    resource_type: {parameter.name: parameter for parameter in (*COMMON, *own)}
    for resource_type, own in _OWN.items()
}


def includes(source: str) -> list[str]:
    """What `_include` takes from this type: `Task:focus`."""
    kinds = (Kind.REFERENCE, Kind.CANONICAL)
    return [f"{source}:{p.name}" for p in TYPES[source].values() if p.kind in kinds]


def reverse_includes(target: str) -> list[str]:
    """What `_revinclude` takes for this type; a reference without targets may lead anywhere."""
    return sorted(
        f"{source}:{p.name}"
        for source, parameters in TYPES.items()
        for p in parameters.values()
        if p.kind in (Kind.REFERENCE, Kind.CANONICAL) and (not p.targets or target in p.targets)
    )
