"""The extensions of a Patient on PDS, grouped by what a restricted record may still show."""

from __future__ import annotations

from fhir_gateway.fhir.identifiers import ODS_ORGANISATION
from fhir_gateway.fhir.types import Element
from fhir_gateway.sandbox.pds.record import DeathStatus, Record

#: The organisation that looks after records of people no practice looks after.
REGISTERING_AUTHORITY = "Y90001"

_UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-"
_UK_CODES = "https://fhir.hl7.org.uk/CodeSystem/UKCore-"
_BIRTH_PLACE = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
_REMOVAL = "https://fhir.nhs.uk/StructureDefinition/Extension-PDS-RemovalFromRegistration"
_REMOVAL_CODES = "https://fhir.nhs.uk/CodeSystem/PDS-RemovalReasonExitCode"
_DEATH_STATUS_NAMES = {
    DeathStatus.INFORMAL: "Informal - death notice received via an update from a local NHS"
    " Organisation such as GP or Trust",
    DeathStatus.FORMAL: "Formal - death notice received from Registrar of Deaths",
    DeathStatus.WITHDRAWN: "Removed",
}


def of_person(record: Record) -> list[Element]:
    """Death, language and contact preference: shown for a restricted patient too."""
    return [*of_death(record), *_language(record), *_preference(record)]


def of_death(record: Record) -> list[Element]:
    """The death notice, if there was one; `U` says that it was withdrawn."""
    if record.death is None:
        return []
    status = {
        "system": f"{_UK_CODES}DeathNotificationStatus",
        "version": "1.0.0",
        "code": record.death.status,
        "display": _DEATH_STATUS_NAMES[record.death.status],
    }
    effective = f"{record.death.effective.isoformat()}T00:00:00+00:00"
    return [
        {
            "url": f"{_UK_CORE}DeathNotificationStatus",
            "extension": [
                _concept("deathNotificationStatus", status),
                {"url": "systemEffectiveDate", "valueDateTime": effective},
            ],
        }
    ]


def of_place(record: Record) -> list[Element]:
    """Nominated pharmacy and place of birth: they could tell where somebody is."""
    found: list[Element] = []
    if record.pharmacy:
        identifier = {"system": ODS_ORGANISATION, "value": record.pharmacy}
        found.append(
            {
                "url": f"{_UK_CORE}NominatedPharmacy",
                "valueReference": {"identifier": identifier},
            }
        )
    if record.birth_place:
        found.append({"url": _BIRTH_PLACE, "valueAddress": {"city": record.birth_place}})
    return found


def of_registration(record: Record) -> list[Element]:
    """Why somebody left the NHS in England."""
    if record.removal is None:
        return []
    reason = {
        "system": _REMOVAL_CODES,
        "code": record.removal.code,
        "display": record.removal.display,
    }
    since = f"{record.removal.since.isoformat()}T00:00:00+00:00"
    return [
        {
            "url": _REMOVAL,
            "extension": [
                _concept("removalFromRegistrationCode", reason),
                {"url": "effectiveTime", "valuePeriod": {"start": since}},
            ],
        }
    ]


def _language(record: Record) -> list[Element]:
    if record.language is None:
        return []
    language = {
        "system": f"{_UK_CODES}HumanLanguage",
        "version": "1.0.0",
        "code": record.language.code,
        "display": record.language.display,
    }
    return [
        {
            "url": f"{_UK_CORE}NHSCommunication",
            "extension": [
                _concept("language", language),
                {"url": "interpreterRequired", "valueBoolean": record.language.interpreter},
            ],
        }
    ]


def _preference(record: Record) -> list[Element]:
    wish = record.preference
    if wish is None:
        return []
    parts = [
        _concept(url, {"system": f"{_UK_CODES}{url}", "code": code, "display": display})
        for url, (code, display) in (
            ("PreferredWrittenCommunicationFormat", wish.written_format),
            ("PreferredContactMethod", wish.method),
        )
    ]
    parts.append({"url": "PreferredContactTimes", "valueString": wish.times})
    return [{"url": f"{_UK_CORE}ContactPreference", "extension": parts}]


def _concept(url: str, coding: Element) -> Element:
    return {"url": url, "valueCodeableConcept": {"coding": [coding]}}
