"""What PDS holds on each persona: mostly what they would say themselves, and one thing more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from types import MappingProxyType

from fhir_gateway.sandbox.pds.names import TITLES
from fhir_gateway.sandbox.pds.personas import Persona, people, person
from fhir_gateway.sandbox.pds.places import STREETS, address_lines, area_of
from fhir_gateway.sandbox.pds.record import (
    Address,
    Confidentiality,
    Death,
    DeathStatus,
    Language,
    Name,
    NameUse,
    Period,
    Practice,
    Preference,
    Record,
    Relation,
    Removal,
    Telecom,
)

#: When things that changed for a persona changed.
CHANGED = date(2021, 6, 1)
_UNTIL = CHANGED - timedelta(days=1)
_SINCE = date(2015, 4, 1)
_ADULT_SINCE = date(2006, 1, 1)


def persona_records() -> list[Record]:
    """One record a persona, in their order."""
    return [_change(persona.key, _record(persona, i)) for i, persona in enumerate(people(), 1)]


def _change(key: str, record: Record) -> Record:
    change = _CHANGES.get(key)
    return change(record) if change else record


def _record(persona: Persona, house: int) -> Record:
    born = date.fromisoformat(persona.birth_date)
    since = max(born, _SINCE)
    return Record(
        nhs_number=persona.nhs_number,
        version=2,
        names=_names(persona, born),
        gender=persona.gender,
        birth_date=born,
        addresses=_addresses(persona, house, since),
        telecoms=_telecoms(persona, since),
        practice=Practice(area_of(persona.postcode).practices[0], Period(since)),
    )


def _names(persona: Persona, born: date) -> tuple[Name, ...]:
    title = TITLES[persona.gender, born < _ADULT_SINCE][0]
    given, before = (persona.given,), persona.previous_family
    if before is None:
        return (Name(given, persona.family, Period(born), prefix=title),)
    return (
        Name(given, persona.family, Period(CHANGED), prefix=title),
        Name(given, before, Period(born, _UNTIL), NameUse.MAIDEN, prefix="Miss"),
    )


def _addresses(persona: Persona, house: int, since: date) -> tuple[Address, ...]:
    before = persona.previous_postcode
    lines = address_lines(house, STREETS[house % len(STREETS)], area_of(persona.postcode))
    if before is None:
        return (Address(lines, persona.postcode, Period(since)),)
    earlier = address_lines(house, "Canal Street", area_of(before))
    return (
        Address(lines, persona.postcode, Period(CHANGED)),
        Address(earlier, before, Period(since, _UNTIL)),
    )


def _telecoms(persona: Persona, since: date) -> tuple[Telecom, ...]:
    found = []
    if persona.mobile:
        digits = persona.mobile.replace(" ", "")
        found.append(Telecom("phone", digits, "mobile", Period(since)))
    if persona.email:
        found.append(Telecom("email", persona.email, "home", Period(since)))
    return tuple(found)


def _full(record: Record) -> Record:
    """A record that also shows what only a retrieval returns."""
    return replace(
        record,
        language=Language("gu", "Gujarati", interpreter=False),
        preference=Preference(("3", "Telephone"), ("11", "Large print"), "Not before 10am"),
        pharmacy="Y90201",
        birth_place="Leicester",
        emergency_phone="01134960199",
    )


def _child(record: Record) -> Record:
    return replace(record, relations=(_relation_to("parent", ("MTH", "mother")),))


def _restricted(record: Record) -> Record:
    return replace(
        _full(record),
        confidentiality=Confidentiality.RESTRICTED,
        relations=(_relation_to("married", ("SIS", "sister")),),
    )


def _relation_to(key: str, kind: tuple[str, str]) -> Relation:
    personal = ("Personal", "Personal relationship with the patient")
    return Relation(person(key).nhs_number, role=personal, kind=kind, since=CHANGED)


def _deceased(record: Record) -> Record:
    died = date(2024, 11, 3)
    return replace(
        record,
        death=Death(DeathStatus.FORMAL, died, died),
        removal=Removal("DEA", "Death", died),
        practice=None,
    )


def _death_withdrawn(record: Record) -> Record:
    return replace(record, death=Death(DeathStatus.WITHDRAWN, CHANGED, None))


def _superseded(record: Record) -> Record:
    return replace(record, superseded_by=person("superseded_new").nhs_number)


def _invalidated(record: Record) -> Record:
    return replace(record, confidentiality=Confidentiality.REDACTED)


def _expired_phone(record: Record) -> Record:
    ended = (replace(t, period=Period(t.period.start, _UNTIL)) for t in record.telecoms)
    return replace(record, telecoms=tuple(ended))


def _minimal(record: Record) -> Record:
    return Record(nhs_number=record.nhs_number, version=record.version)


_CHANGES: Mapping[str, Callable[[Record], Record]] = MappingProxyType(
    {
        "typical": _full,
        "child": _child,
        "restricted": _restricted,
        "deceased": _deceased,
        "death_withdrawn": _death_withdrawn,
        "superseded_old": _superseded,
        "invalidated": _invalidated,
        "expired_phone": _expired_phone,
        "minimal": _minimal,
    }
)
