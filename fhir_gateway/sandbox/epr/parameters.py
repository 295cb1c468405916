"""Which resource types this server keeps, and by which R4 search parameters each is found.

Names and meanings as in the parameter registry of R4
(https://hl7.org/fhir/R4/searchparameter-registry.html); paths are element names joined by dots.
The CapabilityStatement is made from this table, and so is the index.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How values are indexed and compared. CANONICAL is what R4 declares as a reference too."""

    TOKEN = "token"  # noqa: S105 - a kind of search parameter
    STRING = "string"
    DATE = "date"
    REFERENCE = "reference"
    CANONICAL = "canonical"

    @property
    def declared(self) -> str:
        """The code of search-param-type that stands for it in a CapabilityStatement."""
        return "reference" if self is Kind.CANONICAL else self.value


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter. `targets`: only references to these types count; empty means all."""

    name: str
    kind: Kind
    paths: tuple[str, ...]
    targets: tuple[str, ...] = ()


def _token(name: str, *paths: str) -> Parameter:
    return Parameter(name, Kind.TOKEN, paths or (name,))


def _string(name: str, *paths: str) -> Parameter:
    return Parameter(name, Kind.STRING, paths or (name,))


def _date(name: str, *paths: str) -> Parameter:
    return Parameter(name, Kind.DATE, paths or (name,))


def _reference(name: str, *paths: str) -> Parameter:
    return Parameter(name, Kind.REFERENCE, paths or (name,))


def _patient(path: str) -> Parameter:
    return Parameter("patient", Kind.REFERENCE, (path,), ("Patient",))


_IDENTIFIER = _token("identifier")
_STATUS = _token("status")
_SUBJECT = (_reference("subject"), _patient("subject"))
_BASED_ON = _reference("based-on", "basedOn")
_PART_OF = _reference("part-of", "partOf")
_PERSON = (
    _IDENTIFIER,
    _token("active"),
    _string("name"),
    _string("family", "name.family"),
    _string("given", "name.given"),
)

COMMON = (_token("_id", "id"), _date("_lastUpdated", "meta.lastUpdated"))

_OWN: dict[str, tuple[Parameter, ...]] = {
    "Patient": (
        *_PERSON,
        _date("birthdate", "birthDate"),
        _token("gender"),
        _string("address-postalcode", "address.postalCode"),
    ),
    "RelatedPerson": (_IDENTIFIER, _token("active"), _string("name"), _patient("patient")),
    "ServiceRequest": (
        _IDENTIFIER,
        _STATUS,
        *_SUBJECT,
        _BASED_ON,
        _token("intent"),
        _token("code"),
        _token("category"),
        _token("priority"),
        _reference("requester"),
        _reference("performer"),
        _date("authored", "authoredOn"),
    ),
    "Communication": (
        _IDENTIFIER,
        _STATUS,
        *_SUBJECT,
        _BASED_ON,
        _PART_OF,
        _token("category"),
        _reference("recipient"),
        _reference("sender"),
        _date("sent"),
        _date("received"),
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
        _date("authored-on", "authoredOn"),
        _date("modified", "lastModified"),
    ),
    "QuestionnaireResponse": (
        _IDENTIFIER,
        _STATUS,
        *_SUBJECT,
        _BASED_ON,
        _PART_OF,
        Parameter("questionnaire", Kind.CANONICAL, ("questionnaire",)),
        _reference("author"),
        _reference("source"),
        _date("authored"),
    ),
    "Provenance": (
        _reference("target"),
        _patient("target"),
        _reference("agent", "agent.who"),
        _reference("entity", "entity.what"),
        _date("recorded"),
    ),
    "Organization": (
        _IDENTIFIER,
        _token("active"),
        _string("name"),
        _reference("partof", "partOf"),
    ),
    "HealthcareService": (
        _IDENTIFIER,
        _token("active"),
        _string("name"),
        _reference("organization", "providedBy"),
    ),
    "DocumentReference": (
        Parameter("identifier", Kind.TOKEN, ("masterIdentifier", "identifier")),
        _STATUS,
        *_SUBJECT,
        _token("type"),
        _token("category"),
        _reference("author"),
        _date("date"),
    ),
    "Practitioner": _PERSON,
    "PractitionerRole": (
        _IDENTIFIER,
        _token("active"),
        _reference("practitioner"),
        _reference("organization"),
        _reference("service", "healthcareService"),
    ),
    "Device": (
        _IDENTIFIER,
        _STATUS,
        _token("type"),
        _patient("patient"),
        _reference("organization", "owner"),
    ),
    "Binary": (),
}

#: Every resource type of this server, with all its search parameters by name.
TYPES: dict[str, dict[str, Parameter]] = {
    resource_type: {parameter.name: parameter for parameter in (*COMMON, *own)}
    for resource_type, own in _OWN.items()
}
