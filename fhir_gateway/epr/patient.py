"""Whose record a request joins: the Patient whom the EPR has, found by NHS number.

Only a request that the trace matched is looked for; its Bundle says so by the criteria of its
Patient. Anything else never joins a record by itself (docs/decisions/0028).
"""

from __future__ import annotations

import re

from fhir_gateway.epr.client import EprClient, has_identifier
from fhir_gateway.epr.parts import Part, literal, logical
from fhir_gateway.errors import Refused
from fhir_gateway.fhir.identifiers import NHS_NUMBER, identifier
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.provider.endpoint import EprEndpoint, PatientPolicy

_CRITERIA = re.compile(rf"identifier={re.escape(NHS_NUMBER)}(?:\||%7C)([0-9]{{10}})")
_REFERENCE = re.compile(r"(?:^|/)(Patient/[A-Za-z0-9\-.]{1,64})$")


def matched_number(part: Part) -> str | None:
    """The NHS number to which a request is matched, or None."""
    found = _CRITERIA.fullmatch(part.criteria)
    return found[1] if found else None


def resolve(client: EprClient, endpoint: EprEndpoint, part: Part) -> Element | None:
    """What references to the request's Patient become; None: the Patient is to be created.

    Raises Refused when a person must look (codes epr-patient-none, -many, -unmatched), TryLater.
    """
    number = matched_number(part)
    if number is None:
        return _without_record(
            endpoint,
            part,
            "epr-patient-unmatched",
            "The request is not matched to a patient, and this EPR takes requests about patients "
            "it has",
        )
    if endpoint.patient is PatientPolicy.CREATE and not client.capability().searches(
        "Patient", "identifier"
    ):
        return None  # nothing to look with: If-None-Exist has to do
    references = _present(client, endpoint, number)
    if len(references) > 1:
        raise Refused(
            f"The EPR has {len(references)} Patients with this NHS number: merge them, or choose",
            code="epr-patient-many",
        )
    if references:
        return literal(references[0])
    return _without_record(
        endpoint, part, "epr-patient-none", "The EPR has no Patient with this NHS number"
    )


def criteria(endpoint: EprEndpoint, part: Part) -> str:
    """The If-None-Exist of a Patient, in the system that the EPR uses for NHS numbers."""
    number = matched_number(part)
    if number is None:
        return part.criteria
    return f"identifier={endpoint.nhs_number_system}|{number}"


def _present(client: EprClient, endpoint: EprEndpoint, number: str) -> list[str]:
    """`Patient/id` of the records with this NHS number; one that was merged counts as the one it
    was merged into."""
    system = endpoint.nhs_number_system
    found = client.by_identifier("Patient", system, number)
    references = [
        _survivor(client, patient, system, number) or f"Patient/{patient['id']}"
        for patient in found
    ]
    return list(dict.fromkeys(references))


def _survivor(client: EprClient, patient: Resource, system: str, number: str) -> str | None:
    """The Patient that replaced this one, when it has the same NHS number."""
    for link in map(as_dict, as_list(patient.get("link"))):
        target = _REFERENCE.search(as_str(as_dict(link.get("other")).get("reference")))
        if link.get("type") == "replaced-by" and target:
            other = client.read(target[1])
            if has_identifier(other, system, number):
                return target[1]
    return None


def _without_record(endpoint: EprEndpoint, part: Part, code: str, message: str) -> Element | None:
    match endpoint.patient:
        case PatientPolicy.CREATE:
            return None
        case PatientPolicy.LOGICAL:
            number = matched_number(part)
            by_number = identifier(endpoint.nhs_number_system, number) if number else None
            return {**logical(part.resource), **({"identifier": by_number} if by_number else {})}
        case PatientPolicy.REQUIRE:
            raise Refused(f"{message}: a person must file it", code=code)
