"""What was typed about a patient."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_gateway.fhir.identifiers import NHS_NUMBER, normalise_nhs_number
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str


@dataclass(frozen=True, slots=True)
class Demographics:
    """A patient as typed. `birth_date` is ISO; `nhs_number` ten digits or None."""

    family: str
    given: tuple[str, ...]
    birth_date: str
    postcode: str
    gender: str
    nhs_number: str | None
    phones: tuple[str, ...] = ()


def of_patient(patient: Resource) -> Demographics:
    """Read a submitted Patient resource."""
    name = as_dict((as_list(patient.get("name")) or [{}])[0])
    address = as_dict((as_list(patient.get("address")) or [{}])[0])
    return Demographics(
        family=as_str(name.get("family")).strip(),
        given=tuple(as_str(given).strip() for given in as_list(name.get("given")) if given),
        birth_date=as_str(patient.get("birthDate")),
        postcode=as_str(address.get("postalCode")),
        gender=as_str(patient.get("gender")),
        nhs_number=_nhs_number(patient),
        phones=tuple(
            as_str(telecom.get("value"))
            for telecom in map(as_dict, as_list(patient.get("telecom")))
            if telecom.get("system") == "phone" and telecom.get("value")
        ),
    )


def _nhs_number(patient: Resource) -> str | None:
    for identifier in map(as_dict, as_list(patient.get("identifier"))):
        if identifier.get("system") == NHS_NUMBER:
            return normalise_nhs_number(as_str(identifier.get("value")))
    return None
