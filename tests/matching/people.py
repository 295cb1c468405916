"""A record as PDS returns it, somebody who types the same, and ways to change both."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from fhir_gateway.matching.demographics import Demographics
from fhir_gateway.matching.grade import Proof, grade
from fhir_gateway.matching.outcome import Identity
from fhir_gateway.matching.policy import DEFAULT_POLICY, Policy
from fhir_gateway.sms.number import same_number

TODAY = date(2026, 5, 4)
NUMBER = "9990001006"
MOBILE = "+447700900101"
TYPED = Demographics("Sharma", ("Priya",), "1984-03-12", "LS6 2AB", "female", None)
PROVED = Proof((MOBILE,), by_patient=True, same_number=same_number)
DEATH = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-DeathNotificationStatus"


def record(**changes: Any) -> dict[str, Any]:
    """The typical record. A change of None takes a part away."""
    whole: dict[str, Any] = {
        "resourceType": "Patient",
        "id": NUMBER,
        "meta": {"security": [{"code": "U"}]},
        "name": [{"use": "usual", "family": "Sharma", "given": ["Priya"]}],
        "gender": "female",
        "birthDate": "1984-03-12",
        "address": [{"use": "home", "postalCode": "LS6 2AB", "period": {"start": "2020-01-01"}}],
        "telecom": [{"system": "phone", "value": "07700 900101", "use": "mobile"}],
    }
    whole.update(copy.deepcopy(changes))
    return {key: value for key, value in whole.items() if value is not None}


def named(family: str, *given: str, **more: Any) -> dict[str, Any]:
    return {"use": "usual", "family": family, "given": list(given), **more}


def typed(**changes: Any) -> Demographics:
    return replace(TYPED, **changes)


def graded(
    who: Demographics = TYPED,
    against: dict[str, Any] | None = None,
    proof: Proof = PROVED,
    *,
    asked: str | None = None,
    policy: Policy = DEFAULT_POLICY,
) -> Identity:
    return grade(who, against or record(), proof, today=TODAY, asked=asked, policy=policy)


def dead(status: str) -> list[dict[str, Any]]:
    coding = {"coding": [{"code": status}]}
    part = {"url": "deathNotificationStatus", "valueCodeableConcept": coding}
    return [{"url": DEATH, "extension": [part]}]


Check = Callable[[], None]
