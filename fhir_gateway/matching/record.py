"""What a record of PDS says on a given day: names and addresses then and before, phones, markings.

Read leniently: a part that is missing or broken says nothing. Facts: NHS England, PDS FHIR API
specification (https://digital.nhs.uk/developer/api-catalogue/personal-demographics-service-fhir).
"""

from __future__ import annotations

from datetime import date

from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.matching.spelling import fold_postcode

DEATH_STATUS = (
    "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-DeathNotificationStatus"
)
REMOVAL = "https://fhir.nhs.uk/StructureDefinition/Extension-PDS-RemovalFromRegistration"
#: The highest order of birth of PDS.
_MOST_AT_ONCE = 7
_PAST_USES = frozenset({"old", "maiden"})


def is_current(element: Element, today: date) -> bool:
    """Whether the period of a name, address or contact holds today."""
    period = as_dict(element.get("period"))
    start, end = as_str(period.get("start"))[:10], as_str(period.get("end"))[:10]
    iso = today.isoformat()
    # A partial date (yyyy or yyyy-mm) is compared as far as it goes.
    return (not start or start <= iso[: len(start)]) and (not end or end >= iso[: len(end)])


def names(record: Resource, today: date) -> list[tuple[Element, bool]]:
    """Each name, and whether it is a previous one: by its use, or because its period is over."""
    return [
        (name, as_str(name.get("use")) in _PAST_USES or not is_current(name, today))
        for name in map(as_dict, as_list(record.get("name")))
    ]


def postcodes(record: Resource, today: date, *, current: bool) -> set[str]:
    """Folded postcodes of the addresses of today, or of those before."""
    return {
        fold_postcode(as_str(address.get("postalCode")))
        for address in map(as_dict, as_list(record.get("address")))
        if address.get("postalCode") and is_current(address, today) is current
    }


def phones(record: Resource, today: date, *, current: bool) -> list[str]:
    """Phone numbers as somebody once wrote them, of today or expired. The emergency contact's is
    not the patient's, and a textphone cannot be texted."""
    return [
        as_str(telecom.get("value"))
        for telecom in map(as_dict, as_list(record.get("telecom")))
        if telecom.get("system") == "phone" and is_current(telecom, today) is current
    ]


def is_restricted(record: Resource) -> bool:
    """Whether the record is anything but unrestricted: R, V, REDACTED, unknown or no marking."""
    securities = map(as_dict, as_list(as_dict(record.get("meta")).get("security")))
    return {as_str(s.get("code")) for s in securities} != {"U"}


def is_dead(record: Resource) -> bool:
    """Whether PDS says that the person died (status 1 or 2, or a date without a withdrawal).

    U: the notice was withdrawn, the person lives.
    """
    statuses = set(_codes(record, DEATH_STATUS, "deathNotificationStatus"))
    if statuses & {"1", "2"}:
        return True
    if "U" in statuses:
        return False
    return bool(record.get("deceasedDateTime")) or record.get("deceasedBoolean") is True


def removal_code(record: Resource) -> str:
    """Why the person is no longer registered with a GP in England (DEA, EMB, SCT, …), or ''.

    Only a read shows it, never a search.
    """
    return next(iter(_codes(record, REMOVAL, "removalFromRegistrationCode")), "")


def is_multiple_birth(record: Resource) -> bool:
    """Whether the person may be a twin, triplet or more: PDS counts births from 1 to 7, where 1 is
    the first of several or the only one; 8 and 9 say that it does not apply or is not known."""
    order = record.get("multipleBirthInteger")
    if isinstance(order, int) and not isinstance(order, bool):
        return 1 <= order <= _MOST_AT_ONCE
    return record.get("multipleBirthBoolean") is True


def _codes(record: Resource, extension_url: str, part_url: str) -> list[str]:
    return [
        as_str(as_dict(coding).get("code"))
        for extension in map(as_dict, as_list(record.get("extension")))
        if extension.get("url") == extension_url
        for part in map(as_dict, as_list(extension.get("extension")))
        if part.get("url") == part_url
        for coding in as_list(as_dict(part.get("valueCodeableConcept")).get("coding"))
    ]
