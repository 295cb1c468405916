"""Records as FHIR, in the shapes PDS sends: whole on retrieval, reduced in a search.

What a restricted patient's record leaves out is decided here, for both.
"""

from __future__ import annotations

import uuid
from datetime import date

from fhir_gateway.fhir.identifiers import (
    NHS_NUMBER,
    ODS_ORGANISATION,
    VERIFICATION_STATUS_EXTENSION,
)
from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.sandbox.pds import extensions
from fhir_gateway.sandbox.pds.record import (
    PRESENT_NAMES,
    Address,
    Confidentiality,
    Name,
    Period,
    Record,
    Relation,
    Telecom,
)

#: PDS names its production host in every fullUrl, in the sandbox too.
PRODUCTION = "https://api.service.nhs.uk/personal-demographics/FHIR/R4"

#: The code system PDS sends although UK Core has retired it.
_RETIRED_VERIFICATION_STATUS = (
    "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus"
)
_ROLES = "https://fhir.nhs.uk/R4/CodeSystem/UKCore-AdditionalRelatedPersonRole"
_RELATIONS = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
_CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_CONFIDENTIALITY_NAMES = {
    Confidentiality.UNRESTRICTED: "unrestricted",
    Confidentiality.RESTRICTED: "restricted",
    Confidentiality.REDACTED: "redacted",
}


def retrieved(record: Record) -> Resource:
    """The Patient that `GET /Patient/{nhs number}` answers with: everything PDS gives out."""
    patient = _always(record)
    if record.written:
        return patient | record.written.retrieved
    patient |= _person(record, list(record.names))
    found = extensions.of_person(record)
    if not record.is_restricted:
        patient |= _where(record, list(record.addresses))
        found += [*extensions.of_place(record), *extensions.of_registration(record)]
        if record.removal:
            patient["managingOrganization"] = _organisation(extensions.REGISTERING_AUTHORITY)
    if found:
        patient["extension"] = found
    return patient


def found(record: Record, today: date) -> Resource:
    """The Patient in an answer to a search: no earlier names, only the home address of `today`."""
    patient = _always(record)
    if record.written:
        return patient | record.written.found
    patient |= _person(record, [name for name in record.names if name.use in PRESENT_NAMES])
    if not record.is_restricted:
        homes = [a for a in record.addresses if a.use == "home" and a.period.includes(today)]
        patient |= _where(record, homes)
    death = extensions.of_death(record)
    if death:
        patient["extension"] = death
    return patient


def searchset(entries: list[Element], timestamp: str) -> Resource:
    """A Bundle of search results; without results it has no `entry` at all."""
    bundle: Resource = {
        "resourceType": "Bundle",
        "type": "searchset",
        "timestamp": timestamp,
        "total": len(entries),
    }
    if entries:
        bundle["entry"] = entries
    return bundle


def search_entry(record: Record, score: float, today: date) -> Element:
    """One search result. A whole score is written without decimals, as PDS does."""
    return {
        "fullUrl": f"{_base(record)}/Patient/{record.nhs_number}",
        "search": {"score": int(score) if score.is_integer() else score},
        "resource": found(record, today),
    }


def related_entry(record: Record, relation: Relation) -> Element:
    """A RelatedPerson that only refers to the related person's own record.

    PDS puts the related person's number, not the patient's, under `patient`.
    """
    own_id = _element_id(record.nhs_number, "relation", relation.nhs_number)
    coding = [
        {"system": system, "code": code, "display": display}
        for system, (code, display) in ((_ROLES, relation.role), (_RELATIONS, relation.kind))
    ]
    resource: Resource = {
        "resourceType": "RelatedPerson",
        "id": own_id,
        "active": True,
        "period": _period(Period(relation.since)),
        "patient": {"identifier": {"system": NHS_NUMBER, "value": relation.nhs_number}},
        "relationship": [{"coding": coding}],
    }
    full_url = f"{PRODUCTION}/Patient/{record.nhs_number}/RelatedPerson/{own_id}"
    return {"fullUrl": full_url, "resource": resource}


def _base(record: Record) -> str:
    """PDS names its own production host, and its sandbox sometimes another."""
    host = record.written.host if record.written else None
    return PRODUCTION.replace("api.service.nhs.uk", host) if host else PRODUCTION


def etag(record: Record) -> str:
    """The weak entity tag of a record's version."""
    return f'W/"{record.version}"'


def _always(record: Record) -> Resource:
    """What even the barest record has."""
    status = {
        "system": _RETIRED_VERIFICATION_STATUS,
        "version": "1.0.0",
        "code": "01",
        "display": "Number present and verified",
    }
    verified = {
        "url": VERIFICATION_STATUS_EXTENSION,
        "valueCodeableConcept": {"coding": [status]},
    }
    identifier = {"system": NHS_NUMBER, "value": record.nhs_number, "extension": [verified]}
    code = record.confidentiality
    label = {"system": _CONFIDENTIALITY, "code": code, "display": _CONFIDENTIALITY_NAMES[code]}
    return {
        "resourceType": "Patient",
        "id": record.nhs_number,
        "identifier": [identifier],
        "meta": {"versionId": str(record.version), "security": [label]},
    }


def _person(record: Record, names: list[Name]) -> Resource:
    """Who somebody is; a restricted patient's record says this too."""
    parts: Resource = {}
    if names:
        parts["name"] = [_name(record, name, i) for i, name in enumerate(names)]
    if record.gender:
        parts["gender"] = record.gender
    if record.birth_date:
        parts["birthDate"] = record.birth_date.isoformat()
    if record.birth_order is not None:
        parts["multipleBirthInteger"] = record.birth_order
    if record.death and record.death.died:
        parts["deceasedDateTime"] = f"{record.death.died.isoformat()}T00:00:00+00:00"
    return parts


def _where(record: Record, addresses: list[Address]) -> Resource:
    """Where somebody is and how to reach them."""
    parts: Resource = {}
    if addresses:
        parts["address"] = [_address(record, address, i) for i, address in enumerate(addresses)]
    if record.telecoms:
        parts["telecom"] = [_telecom(record, t, i) for i, t in enumerate(record.telecoms)]
    if record.emergency_phone:
        parts["contact"] = [_emergency_contact(record, record.emergency_phone)]
    if record.practice:
        practice = _organisation(record.practice.ods_code, record.practice.period)
        own_id = _element_id(record.nhs_number, "practice", record.practice.ods_code)
        parts["generalPractitioner"] = [{"id": own_id, **practice}]
    return parts


def _name(record: Record, name: Name, place: int) -> Element:
    element: Element = {
        "id": _element_id(record.nhs_number, "name", str(place)),
        "use": name.use,
        "period": _period(name.period),
        "given": list(name.given),
        "family": name.family,
    }
    if name.prefix:
        element["prefix"] = [name.prefix]
    return element


def _address(record: Record, address: Address, place: int) -> Element:
    return {
        "id": _element_id(record.nhs_number, "address", str(place)),
        "use": address.use,
        "period": _period(address.period),
        "line": list(address.lines),
        "postalCode": address.postcode,
    }


def _telecom(record: Record, telecom: Telecom, place: int) -> Element:
    return {
        "id": _element_id(record.nhs_number, "telecom", str(place)),
        "period": _period(telecom.period),
        "system": telecom.system,
        "value": telecom.value,
        "use": telecom.use,
    }


def _emergency_contact(record: Record, phone: str) -> Element:
    coding = {
        "system": "http://terminology.hl7.org/CodeSystem/v2-0131",
        "code": "C",
        "display": "Emergency Contact",
    }
    return {
        "id": _element_id(record.nhs_number, "contact", phone),
        "relationship": [{"coding": [coding]}],
        "telecom": [{"system": "phone", "value": phone}],
    }


def _organisation(ods_code: str, period: Period | None = None) -> Element:
    identifier: Element = {"system": ODS_ORGANISATION, "value": ods_code}
    if period:
        identifier["period"] = _period(period)
    return {"type": "Organization", "identifier": identifier}


def _period(period: Period) -> Element:
    element: Element = {"start": period.start.isoformat()}
    if period.end:
        element["end"] = period.end.isoformat()
    return element


def _element_id(*parts: str) -> str:
    """A short id that is the same each time, as PDS gives to each part of a record."""
    return uuid.uuid5(uuid.NAMESPACE_OID, "/".join(parts)).hex[:8].upper()
