"""Identifier systems of the NHS and of this gateway, and the rules of an NHS number."""

from __future__ import annotations

import re

import nhs_number

from fhir_gateway.fhir.types import Element

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
ODS_ORGANISATION = "https://fhir.nhs.uk/Id/ods-organization-code"
ODS_SITE = "https://fhir.nhs.uk/Id/ods-site-code"

#: Base of every canonical URL and identifier system this project defines (docs/decisions/0002).
BASE = "https://w3id.org/fhir-gateway"
#: The business identifier of a request: a UUID, on every resource the request becomes.
REQUEST_ID = f"{BASE}/Id/request"
#: What the patient is told: short, unambiguous, unique within a gateway.
REFERENCE = f"{BASE}/Id/reference"
#: Which installation made a resource.
DEVICE = f"{BASE}/Id/device"

VERIFICATION_STATUS_EXTENSION = (
    "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
)
VERIFICATION_STATUS_SYSTEM = (
    "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatusEngland"
)

_SEPARATORS = re.compile(r"[\s\-–—]+")


def normalise_nhs_number(typed: str) -> str | None:
    """Ten digits when `typed` is a valid NHS number (spaces and dashes ignored), else None.

    Modulus 11 as in the NHS Data Dictionary
    (https://www.datadictionary.nhs.uk/attributes/nhs_number.html).
    """
    digits = _SEPARATORS.sub("", typed)
    if not re.fullmatch(r"[0-9]{10}", digits):
        return None
    return digits if nhs_number.is_valid(digits) else None


def spaced_nhs_number(digits: str) -> str:
    """`999 123 4567`: how the NHS service manual shows an NHS number."""
    return f"{digits[:3]} {digits[3:6]} {digits[6:]}"


def is_ods_code(code: str) -> bool:
    """Whether `code` can be an ODS code: 3 to 12 letters and digits, upper case."""
    return re.fullmatch(r"[A-Z0-9]{3,12}", code) is not None


def identifier(system: str, value: str) -> Element:
    """An Identifier with system and value."""
    return {"system": system, "value": value}


def token(system: str, value: str) -> str:
    """`system|value`, the form of a token search parameter, with `,`, `$` and `\\` escaped.

    https://hl7.org/fhir/R4/search.html#escaping
    """
    escaped = re.sub(r"([\\$,|])", r"\\\1", value)
    return f"{system}|{escaped}"
