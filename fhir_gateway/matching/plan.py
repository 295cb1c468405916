"""The trace plan: which questions PDS is asked, in which order. Pure.

With an NHS number: read that record and compare, nothing else. Without: first precise, then as NHS
England advises for automatic traces (first letters with wildcards), then fuzzy; the first unique
record ends it. Every search is written to PDS's access audit, so none is made on speculation
(PDS FHIR API specification, patient search).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fhir_gateway.matching.demographics import Demographics, spaced_postcode

#: PDS takes names of at most this many characters.
_MAX_NAME = 35
#: PDS allows a wildcard after two characters.
_MIN_BEFORE_WILDCARD = 2


@dataclass(frozen=True, slots=True)
class Read:
    """Read the record of this NHS number."""

    nhs_number: str
    step: str = "read"


@dataclass(frozen=True, slots=True)
class Search:
    """Search with these parameters. `step`: `precise`, `wildcard` or `fuzzy`."""

    step: str
    params: tuple[tuple[str, str], ...]


Question = Read | Search


def plan(typed: Demographics, *, bound_to: str | None = None) -> Sequence[Question]:
    """The questions in order. `bound_to`: the NHS number of a link made for one patient."""
    number = bound_to or typed.nhs_number
    if number:
        return [Read(number)]
    if not (typed.family and typed.given and typed.birth_date and typed.postcode):
        return []
    given = typed.given[0].split()[0]
    family = typed.family[:_MAX_NAME]
    postcode = spaced_postcode(typed.postcode)
    return [
        Search("precise", _params(family, _wildcard(given, 3), typed, postcode)),
        Search("wildcard", _params(family, _wildcard(given, 3), typed, _wildcard(postcode, 2))),
        Search(
            "fuzzy",
            (
                ("family", family),
                ("given", typed.given[0][:_MAX_NAME]),
                ("birthdate", f"eq{typed.birth_date}"),
                ("address-postalcode", postcode),
                ("_fuzzy-match", "true"),
                ("_max-results", "1"),
            ),
        ),
    ]


def _params(
    family: str, given: str, typed: Demographics, postcode: str
) -> tuple[tuple[str, str], ...]:
    return (
        ("family", family),
        ("given", given),
        ("birthdate", f"eq{typed.birth_date}"),
        ("address-postalcode", postcode),
        ("_history", "true"),
        ("_max-results", "1"),
    )


def _wildcard(text: str, letters: int) -> str:
    """The first letters and `*`; a name too short for a wildcard stays whole."""
    return f"{text[:letters]}*" if len(text) >= _MIN_BEFORE_WILDCARD else text
