"""For an unmatched request: the EPR's own patients that it may be about, for staff to look at.

Never from PDS: application-restricted access gives no candidates, and its records are not shown to
whoever may be an impostor's helper. The EPR is asked by family name and birth date, in a form and
not in the address, which proxies log. What it does not answer is left out: a request does not wait
for a convenience.
"""

from __future__ import annotations

from datetime import date

import structlog

from fhir_gateway.delivery.parts import Parts
from fhir_gateway.delivery.submitted import Submitted
from fhir_gateway.epr.patients import search_patients
from fhir_gateway.errors import GatewayError
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.matching.demographics import Demographics, of_patient
from fhir_gateway.matching.names import fit_names
from fhir_gateway.matching.spelling import fold_postcode
from fhir_gateway.provider.service import Service

_log = structlog.get_logger("delivery")
#: More would be a search, not a hint.
MOST = 5


def close_candidates(parts: Parts, service: Service, submitted: Submitted) -> list[Element]:
    """References to patients of the EPR, the closest first, each with what agrees."""
    typed = of_patient(submitted.patient)
    if not typed.family or not typed.birth_date:
        return []
    try:
        client = parts.eprs.at(service.epr_base)
        found = search_patients(client, family=typed.family, birth_date=typed.birth_date)
    except GatewayError as error:
        _log.info("step", step="candidates", code=error.code)
        return []
    today = parts.clock().date()
    agreeing = [(_agreeing(typed, patient, today), patient) for patient in found]
    ranked = sorted(agreeing, key=lambda pair: -len(pair[0]))
    return [_candidate(patient, agrees) for agrees, patient in ranked[:MOST]]


def _agreeing(typed: Demographics, patient: Resource, today: date) -> list[str]:
    fit = fit_names(patient, typed, today)
    postcodes = {
        fold_postcode(as_str(as_dict(address).get("postalCode")))
        for address in as_list(patient.get("address"))
    }
    checks = (
        ("family name", fit.family is not None),
        ("given name", fit.given is not None),
        ("date of birth", typed.birth_date == patient.get("birthDate")),
        ("postcode", bool(typed.postcode) and fold_postcode(typed.postcode) in postcodes),
    )
    return [name for name, agrees in checks if agrees]


def _candidate(patient: Resource, agrees: list[str]) -> Element:
    return {
        "reference": f"Patient/{patient['id']}",
        "text": f"Agrees: {', '.join(agrees) or 'nothing'}",
    }
