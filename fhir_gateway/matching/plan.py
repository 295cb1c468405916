"""The trace plan: which questions PDS is asked, in which order. Pure.

With an NHS number: read that record and compare, nothing else. Without: first precise, then as NHS
England advises for automatic traces (first letters with wildcards), then fuzzy; the first unique
record ends it, and so does an answer that no later question could improve. Every search is written
to PDS's access audit, so none is made on speculation (PDS FHIR API specification, patient search).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fhir_gateway.matching.demographics import Demographics
from fhir_gateway.matching.spelling import searched, spaced_postcode

#: PDS takes names of at most this many characters.
_MAX_NAME = 35
#: PDS allows a wildcard after two characters.
_MIN_BEFORE_WILDCARD = 2
_FULL_DATE = 10


@dataclass(frozen=True, slots=True)
class Read:
    """Read the record of this NHS number."""

    nhs_number: str
    step: str = "read"


@dataclass(frozen=True, slots=True)
class Search:
    """Search with these parameters. `step`: `precise`, `wildcard` or `fuzzy`.

    `several_is_final`: the later searches are wider, so several records now are several then too.
    """

    step: str
    params: tuple[tuple[str, str], ...]
    several_is_final: bool = False


Question = Read | Search


def plan(typed: Demographics, *, bound_to: str | None = None) -> Sequence[Question]:
    """The questions in order; none when too little is known for any to be decisive. `bound_to`: the
    NHS number of a link made for one patient."""
    number = bound_to or typed.nhs_number
    if number:
        return [Read(number)]
    family, given = searched(typed.family), searched(" ".join(typed.given))
    postcode = spaced_postcode(typed.postcode).replace("*", "")
    if not (family and given and postcode and len(typed.birth_date) == _FULL_DATE):
        return []
    first, *others = given.split()
    # A compound first name is one value on PDS, further names are others: nobody can tell from what
    # was typed, and the first word with a wildcard finds both.
    whole = _wildcard(first, len(first)) if others else first[:_MAX_NAME]
    wide = _wildcard(first, 3), _wildcard(postcode, 2)
    born = typed.birth_date
    return [
        Search("precise", _params(family, whole, born, postcode), several_is_final=True),
        Search("wildcard", _params(family, wide[0], born, wide[1])),
        Search("fuzzy", _params(family, given, born, postcode, fuzzy=True)),
    ]


def _params(
    family: str, given: str, birth_date: str, postcode: str, *, fuzzy: bool = False
) -> tuple[tuple[str, str], ...]:
    # A fuzzy search always looks into history.
    flag = "_fuzzy-match" if fuzzy else "_history"
    return (
        ("family", family[:_MAX_NAME].strip()),
        ("given", given[:_MAX_NAME].strip()),
        ("birthdate", f"eq{birth_date}"),
        ("address-postalcode", postcode),
        (flag, "true"),
        ("_max-results", "1"),
    )


def _wildcard(text: str, letters: int) -> str:
    """The first letters and `*`; a name too short for a wildcard stays whole."""
    if len(text) < _MIN_BEFORE_WILDCARD:
        return text
    return f"{text[: min(letters, _MAX_NAME - 1)]}*"
