"""What was typed about a patient, and how names, postcodes and numbers are compared."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from fhir_gateway.fhir.identifiers import NHS_NUMBER, normalise_nhs_number
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str

_APOSTROPHES = re.compile(r"['’‘ʼ`´]")
_DASHES_AND_SPACES = re.compile(r"[\s\-‐‑–—.,]+")
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d"})


@dataclass(frozen=True, slots=True)
class Demographics:
    """A patient as typed. `birth_date` is ISO; `nhs_number` ten digits or None."""

    family: str
    given: tuple[str, ...]
    birth_date: str
    postcode: str
    gender: str
    nhs_number: str | None
    phones: tuple[str, ...]


def of_patient(patient: Resource) -> Demographics:
    """Read a submitted Patient resource."""
    name = as_dict((as_list(patient.get("name")) or [{}])[0])
    address = as_dict((as_list(patient.get("address")) or [{}])[0])
    return Demographics(
        family=as_str(name.get("family")),
        given=tuple(as_str(given) for given in as_list(name.get("given")) if given),
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


def fold(name: str) -> str:
    """A name as it is compared: no case, accents, apostrophes, hyphens or spaces."""
    plain = unicodedata.normalize("NFKD", name.casefold()).translate(_LETTERS)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return _DASHES_AND_SPACES.sub("", _APOSTROPHES.sub("", plain))


def fold_postcode(postcode: str) -> str:
    """A postcode as it is compared: upper case, without spaces and dashes."""
    return _DASHES_AND_SPACES.sub("", postcode).upper()


def spaced_postcode(postcode: str) -> str:
    """A postcode as it is written: upper case, a space before the last three characters."""
    folded = fold_postcode(postcode)
    return f"{folded[:-3]} {folded[-3:]}" if len(folded) > 3 else folded  # noqa: PLR2004


def _nhs_number(patient: Resource) -> str | None:
    for identifier in map(as_dict, as_list(patient.get("identifier"))):
        if identifier.get("system") == NHS_NUMBER:
            return normalise_nhs_number(as_str(identifier.get("value")))
    return None
