"""May this patient be invited? PDS is asked before a text leaves. Pure but for what it is given."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from fhir_gateway.fhir.types import Resource
from fhir_gateway.matching.record import is_dead, is_restricted


class Obstacle(StrEnum):
    """Why a patient is not texted."""

    NOT_ON_PDS = "not-on-pds"
    DECEASED = "deceased"
    RESTRICTED = "restricted"
    OTHER_NUMBER = "superseded"


#: For clients. A restricted record is told of as one that cannot be used, and no more.
TEXT = {
    Obstacle.NOT_ON_PDS: "PDS has no record of this NHS number.",
    Obstacle.DECEASED: "PDS says that this person has died: no text was sent.",
    Obstacle.RESTRICTED: "This patient cannot be texted through this gateway: contact them another "
    "way.",
    Obstacle.OTHER_NUMBER: "PDS has another record in the place of this NHS number: use that.",
}


def obstacle(nhs_number: str, read: Callable[[str], Resource | None]) -> Obstacle | None:
    """What stands in the way; None: nothing. `read`: the record of an NHS number on PDS, or None;
    raises what PDS's client raises."""
    record = read(nhs_number)
    if record is None:
        return Obstacle.NOT_ON_PDS
    # In this order: of a restricted record nothing more is told.
    if is_restricted(record):
        return Obstacle.RESTRICTED
    if is_dead(record):
        return Obstacle.DECEASED
    return Obstacle.OTHER_NUMBER if record.get("id") != nhs_number else None
