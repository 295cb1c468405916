"""Does the record that PDS returned belong to the person who wrote? Pure.

The policy (docs/decisions/0004): a request is matched only when all of this holds:
- one record was returned, and it is neither restricted nor of somebody who died;
- family name, given name, full date of birth and postcode agree with a current entry of it;
- an NHS number that was typed is the record's;
- a phone number was verified by code, it is the patient's own, and it is on the record now.
Anything less is delivered as unmatched, with what agreed and what did not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.matching.demographics import Demographics, fold, fold_postcode

DEATH_STATUS = (
    "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-DeathNotificationStatus"
)
_FULL_DATE = 10


class Level(StrEnum):
    """How sure it is that the record is the person's."""

    VERIFIED = "verified"
    PROBABLE = "probable"
    CONFLICTING = "conflicting"
    NONE = "none"


class Status(StrEnum):
    """UK Core NHS number verification status (England)."""

    VERIFIED = "01"
    PRESENT_NOT_TRACED = "02"
    TRACE_REQUIRED = "03"
    NO_OR_MANY = "04"
    CONFLICT = "05"


#: The displays of UK Core's code system, to the letter.
STATUS_DISPLAY = {
    Status.VERIFIED: "Number present and verified",
    Status.PRESENT_NOT_TRACED: "Number present but not traced",
    Status.TRACE_REQUIRED: "Trace required",
    Status.NO_OR_MANY: "Trace attempted - No match or multiple match found",
    Status.CONFLICT: "Trace needs to be resolved - (NHS number or patient detail conflict)",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one comparison found. `agrees` None: it could not be made. Holds no value."""

    field: str
    agrees: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Identity:
    """The outcome of a trace. `nhs_number`: the record's when verified, else the typed one."""

    level: Level
    status: Status
    nhs_number: str | None
    evidence: tuple[Evidence, ...]

    @property
    def matched(self) -> bool:
        """Whether the request may be attached to the record."""
        return self.level is Level.VERIFIED


def without_record(typed: Demographics, *, many: bool = False, reached: bool = True) -> Identity:
    """The outcome when there is no record to compare: none, many, or PDS out of reach."""
    if not reached:
        text, status = "PDS could not be asked", Status.TRACE_REQUIRED
    elif many:
        text, status = "PDS has more than one record like this", Status.NO_OR_MANY
    else:
        text, status = "PDS has no record like this", Status.NO_OR_MANY
    if typed.nhs_number:
        status = Status.PRESENT_NOT_TRACED
    found = Evidence("record", None if not reached else False, text)
    return Identity(Level.NONE, status, typed.nhs_number, (found,))


def grade(
    typed: Demographics,
    record: Resource,
    *,
    verified: Iterable[str],
    by_patient: bool,
    same_number: Callable[[str, str], bool],
    today: date,
) -> Identity:
    """Compare a record with what was typed.

    `verified`: numbers whose code was accepted. `by_patient`: the patient wrote, not somebody for
    them. `same_number`: compares phone numbers however they are written.
    """
    names = _names(record, typed, today)
    birth_date = Evidence(
        "birthDate",
        typed.birth_date == record.get("birthDate") and len(typed.birth_date) == _FULL_DATE,
        "date of birth",
    )
    postcode = Evidence(
        "address.postalCode",
        fold_postcode(typed.postcode) in _postcodes(record, today),
        "postcode of a current address",
    )
    number = _number(typed, record)
    contact = _contact(record, verified, by_patient, same_number, today)
    open_record = _open(record)
    evidence = (*names, birth_date, postcode, number, contact, open_record)
    agreed = all(e.agrees is not False for e in (*names, birth_date, postcode, number))
    if agreed and contact.agrees and open_record.agrees:
        return Identity(Level.VERIFIED, Status.VERIFIED, as_str(record.get("id")), evidence)
    if number.agrees is False or (typed.nhs_number and not birth_date.agrees):
        return Identity(Level.CONFLICTING, Status.CONFLICT, typed.nhs_number, evidence)
    level = Level.PROBABLE if birth_date.agrees and names[0].agrees else Level.CONFLICTING
    status = Status.PRESENT_NOT_TRACED if typed.nhs_number else Status.TRACE_REQUIRED
    return Identity(level, status, typed.nhs_number, evidence)


def _names(record: Resource, typed: Demographics, today: date) -> tuple[Evidence, Evidence]:
    """Family and given name must agree with one and the same current name of the record."""
    current = [n for n in map(as_dict, as_list(record.get("name"))) if _is_current(n, today)]
    family, given = fold(typed.family), fold(typed.given[0]) if typed.given else ""
    with_family = [n for n in current if family and fold(as_str(n.get("family"))) == family]
    with_both = [n for n in with_family if given and given in _given(n)]
    any_given = bool(given) and any(given in _given(n) for n in current)
    return (
        Evidence("name.family", bool(with_family), "family name"),
        Evidence("name.given", bool(with_both) or (not with_family and any_given), "given name"),
    )


def _given(name: Element) -> set[str]:
    """The first given name, alone and with those after it: people type one or all."""
    parts = [fold(as_str(part)) for part in as_list(name.get("given")) if part]
    return {"".join(parts[: count + 1]) for count in range(len(parts))}


def _postcodes(record: Resource, today: date) -> set[str]:
    return {
        fold_postcode(as_str(address.get("postalCode")))
        for address in map(as_dict, as_list(record.get("address")))
        if address.get("postalCode") and _is_current(address, today)
    }


def _number(typed: Demographics, record: Resource) -> Evidence:
    if typed.nhs_number is None:
        return Evidence("identifier", None, "NHS number, not given")
    return Evidence("identifier", typed.nhs_number == record.get("id"), "NHS number")


def _contact(
    record: Resource,
    verified: Iterable[str],
    by_patient: bool,
    same_number: Callable[[str, str], bool],
    today: date,
) -> Evidence:
    numbers = list(verified)
    if not by_patient:
        return Evidence("telecom", False, "phone number, verified but not of the patient")
    if not numbers:
        return Evidence("telecom", False, "phone number, not verified by code")
    known = [
        as_str(telecom.get("value"))
        for telecom in map(as_dict, as_list(record.get("telecom")))
        if telecom.get("system") == "phone" and _is_current(telecom, today)
    ]
    agrees = any(same_number(number, other) for number in numbers for other in known)
    return Evidence("telecom", agrees, "phone number, verified by code and on the record")


def _open(record: Resource) -> Evidence:
    """Restricted, or of somebody who died: never matched by a machine. An unknown marking counts as
    restricted; a withdrawn notice of death (U) is no death."""
    securities = map(as_dict, as_list(as_dict(record.get("meta")).get("security")))
    if {as_str(s.get("code")) for s in securities} != {"U"}:
        return Evidence("meta.security", False, "the record is restricted")
    if is_dead(record):
        return Evidence("deceased", False, "the record is of a person who died")
    return Evidence("meta.security", True, "the record is open")


def is_dead(record: Resource) -> bool:
    """Whether PDS says that the person died (status 1 or 2, or a date without a withdrawal)."""
    statuses = {
        as_str(as_dict(coding).get("code"))
        for extension in map(as_dict, as_list(record.get("extension")))
        if extension.get("url") == DEATH_STATUS
        for part in map(as_dict, as_list(extension.get("extension")))
        if part.get("url") == "deathNotificationStatus"
        for coding in as_list(as_dict(part.get("valueCodeableConcept")).get("coding"))
    }
    if "U" in statuses:
        return False
    return bool(statuses & {"1", "2"}) or bool(record.get("deceasedDateTime"))


def _is_current(element: Element, today: date) -> bool:
    """Whether the period of a name, address or contact holds today; a broken one does not."""
    period = as_dict(element.get("period"))
    start, end = as_str(period.get("start"))[:10], as_str(period.get("end"))[:10]
    iso = today.isoformat()
    return (not start or start <= iso) and (not end or end >= iso)
